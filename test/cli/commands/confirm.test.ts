import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { confirm, questionOf, startConfirmed } from '../../../src/infrastructure/cli/troubleshooting/confirm.ts'
import { parkMany } from '../../support/actions.ts'
import { createTestBus } from '../../support/bus.ts'

const group = (domain: string, errorCode: string) => ({ domain, errorCode })

test('the question before an action on many names the action, how many, and which', () => {
  expect(questionOf('complete', 6, [group('notifications', 'TypeError')])).toBe(
    'Complete 6 commands of notifications (TypeError)?',
  )
  const many = ['a', 'b', 'c', 'd', 'e'].map(domain => group(domain, ''))
  expect(questionOf('retry', 5, many)).toBe('Retry 5 commands of a, b, c and 2 more?')
})

test('O2: what was confirmed is what is done: where it has changed since the question, the command line asks again', async () => {
  const { bus, pool } = await createTestBus()
  const ids = await parkMany(pool, 3)
  const asked: string[] = []
  const view = await startConfirmed(
    bus,
    { action: 'cancel', operator: 'jane', reason: 'x', filter: {} },
    async question => {
      asked.push(question)
      // another operator takes one away while the question stands
      if (asked.length === 1)
        await bus.troubleshooting.cancel('payments', ids[0] as string, { operator: 'joe', reason: 'x' })
    },
  )
  expect(asked.map(question => question.slice(0, 17))).toEqual(['Cancel 3 commands', 'Cancel 2 commands'])
  expect(view).toMatchObject({ action: 'cancel', total: 2 })
  const none = startConfirmed(bus, { action: 'cancel', operator: 'jane', reason: 'x', filter: {} }, async () => {
    throw new Error('no')
  })
  await expect(none).rejects.toThrow('no')
  expect((await bus.actions.list({})).items).toHaveLength(1)
})

test('O1: the question counts the commands of all causes, also where there are more causes than a list has', async () => {
  const { bus, pool } = await createTestBus()
  await parkMany(pool, 520)
  await pool.query(`update command_bus_command set last_error_code = 'CODE_' || left(command_id::text, 8)`)
  const asked: string[] = []
  const options = { action: 'complete', operator: 'jane', filter: { domain: 'payments' } } as const
  await startConfirmed(bus, options, async question => void asked.push(question))
  expect(asked).toEqual([expect.stringMatching(/^Complete 520 commands of payments \(CODE_\S+, .* and \d+ more\)\?$/)])
})

test.each([
  ['y\n', true],
  ['Yes\n', true],
  ['n\n', false],
  ['\n', false],
  ['', false],
])('the answer %j is taken as yes: %s', async (answer, yes) => {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const asked = confirm('Retry 2 commands?', input, output)
  input.end(answer)
  if (yes) await asked
  else await expect(asked).rejects.toThrow('not confirmed')
  expect(String(output.read())).toContain('Retry 2 commands? [y/N] ')
})
