import { expect, test } from 'vitest'
import { knownHandlers } from '../../../src/infrastructure/rehearsal/known-handlers.ts'

test('handlers of closed workers are kept up to a limit, and the newest are found', () => {
  const known = knownHandlers({})
  let asked = 0
  const add = (found: boolean) =>
    known.add('payments', {
      handlerOf: () => {
        asked++
        return found ? { handle: () => null } : undefined
      },
    })
  for (let i = 0; i < 1_000; i++) add(false)
  expect(known.of('payments')?.handlerOf('Charge')).toBeUndefined()
  expect(asked).toBeLessThanOrEqual(100)
  add(true)
  expect(known.of('payments')?.handlerOf('Charge')).toBeDefined()
})
