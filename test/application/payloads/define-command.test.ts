import * as v from 'valibot'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineCommand, InvalidInputError, InvalidPayloadError } from '../../../src/index.ts'

const charge = z.object({ amount: z.number().positive() })

test('K2: a definition is refused with a reason where its names, its schema or its options are wrong', () => {
  const wrong: readonly (readonly [() => unknown, string])[] = [
    [() => defineCommand('Payments!', 'Charge', charge), 'domain: '],
    [() => defineCommand('payments', '', charge), 'commandType: '],
    [
      () => defineCommand('payments', 'Charge', undefined as never),
      'payload: must be an io-ts codec, a Standard Schema',
    ],
    [() => defineCommand('payments', 'Charge', { parse: () => 1 } as never), 'payload: must be an io-ts codec'],
    [
      () => defineCommand('payments', 'Charge', { '~standard': { version: 2, validate: () => 1 } } as never),
      'payload: must be a Standard Schema of version 1',
    ],
    [() => defineCommand('payments', 'Charge', charge, { sensitive: ['*'] }), 'sensitive: must be at most'],
  ]
  for (const [define, sentence] of wrong) {
    expect(define).toThrow(InvalidInputError)
    expect(define).toThrow(sentence)
  }
})

test('K2: a defined command is checked where it is made only if that is wished', () => {
  const [plain, checked] = [
    defineCommand('payments', 'Charge', charge),
    defineCommand('payments', 'Charge', charge, { checkOnSend: true }),
  ]
  expect(plain({ amount: -1 })).toEqual({ domain: 'payments', commandType: 'Charge', data: { amount: -1 } })
  expect(checked({ amount: 1 })).toEqual({ domain: 'payments', commandType: 'Charge', data: { amount: 1 } })
  expect(() => checked({ amount: -1 })).toThrow(InvalidPayloadError)
  expect(() => checked({ amount: -1 })).toThrow('data.amount: Too small: expected number to be >0')
})

test('K2: it is checked as the log will keep it, and sent as it was given', () => {
  const byDate = defineCommand('payments', 'Charge', z.object({ at: z.date() }), { checkOnSend: true })
  // JSON has no dates: the handler would refuse it
  expect(() => byDate({ at: new Date() })).toThrow('data.at: Invalid input: expected date, received string')
  const trimmed = defineCommand('mail', 'Send', z.object({ to: z.string().trim() }), { checkOnSend: true })
  expect(trimmed({ to: ' ann ' }).data).toEqual({ to: ' ann ' })
})

test('K2: a schema that answers with a promise cannot be checked at once', async () => {
  const slow = v.objectAsync({
    amount: v.pipeAsync(
      v.number(),
      v.checkAsync(async () => Promise.reject(new Error('x'))),
    ),
  })
  const checked = defineCommand('payments', 'Charge', slow, { checkOnSend: true })
  expect(() => checked({ amount: 1 })).toThrow('only bus.send(command, data) and bus.request(command, data) await it')
})
