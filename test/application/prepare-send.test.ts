import { isRight } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { type CommandToSend, prepareSend, type RetryOptions } from '../../src/application/commands/send-command.ts'
import { InvalidInputError } from '../../src/application/shared/errors.ts'
import { command } from '../../src/domain/command/index.ts'
import { defaultRetryPolicy } from '../../src/domain/command/retry-policy.ts'
import { commandCodec } from '../../src/infrastructure/codec/command-codec.ts'
import { at, context, key } from '../support/lives/command-life.ts'

const MADE = '0192d3a4-0000-7000-8000-00000000cafe'

const prepare = (over: Partial<CommandToSend> = {}, policies: Readonly<Record<string, RetryOptions>> = {}) =>
  prepareSend({
    clock: { now: () => new Date(at(5)), random: () => 0 },
    ids: { next: () => MADE },
    policies: new Map(Object.entries(policies)),
  })('payments', { commandType: 'Charge', data: { amount: 5 }, ...over })

describe('a command to send', () => {
  test('A15: gets ids where its sender gave none, and keeps those that were given', () => {
    expect(prepare()).toMatchObject({ commandId: MADE, intent: { correlationId: MADE } })
    const given = { commandId: key.commandId, correlationId: 'order 7', causationId: 'c', tenantId: 't', ownerId: 'o' }
    const { commandId, intent } = prepare(given)
    expect({ ...intent, commandId }).toMatchObject(given)
  })

  test("has the clock's time, and a sender", () => {
    expect(prepare().intent).toMatchObject({ at: at(5), actor: 'sender', retryCount: 0 })
    expect(prepare({ actor: 'billing' }).intent.actor).toBe('billing')
  })

  test('A20: takes its retry policy from its sender, then from its type, then from the default', () => {
    expect(prepare().intent.policy).toEqual(defaultRetryPolicy)
    const policies = { Charge: { maxAttempts: 7, jitter: 0.1 }, Other: { maxAttempts: 9 } }
    expect(prepare({}, policies).intent.policy).toEqual({ ...defaultRetryPolicy, maxAttempts: 7, jitter: 0.1 })
    expect(prepare({ maxAttempts: 2, onExhausted: 'fail' }, policies).intent.policy).toEqual({
      ...defaultRetryPolicy,
      maxAttempts: 2,
      jitter: 0.1,
      onExhausted: 'fail',
    })
  })

  test.each<[string, Partial<Record<keyof CommandToSend, unknown>>]>([
    ['commandType', { commandType: '1 2' }],
    ['data', { data: undefined }],
    ['data', { data: 'a\u0000' }],
    ['commandId', { commandId: '17' }],
    ['replyTo', { replyTo: 'No Queue' }],
    ['correlationId', { correlationId: ' ' }],
    ['causationId', { causationId: '' }],
    ['tenantId', { tenantId: 'x'.repeat(129) }],
    ['ownerId', { ownerId: 17 }],
    ['parentCommandId', { parentCommandId: 'x' }],
    ['actor', { actor: ' ' }],
    ['retry policy', { maxAttempts: 0 }],
    ['retry policy', { maxAttempts: 101 }],
    ['retry policy', { backoffSeconds: [-1] }],
    ['retry policy', { backoffSeconds: [] }],
    ['retry policy', { jitter: 2 }],
    ['retry policy', { jitter: '0.5' }],
    ['retry policy', { onExhausted: 'explode' }],
    ['retryCount', { retryCount: -1 }],
    ['retryCount', { retryCount: 1.5 }],
    ['retryCount', { retryCount: '1' }],
  ])('with a wrong %s is refused: %o', (field, over) => {
    expect(() => prepare(over as Partial<CommandToSend>)).toThrow(InvalidInputError)
    expect(() => prepare(over as Partial<CommandToSend>)).toThrow(expect.objectContaining({ field }))
  })

  test('can be read back from the log once it was accepted', () => {
    const sent = command.decide(prepare({ jitter: 0.1, backoffSeconds: [0.1, 2] }).intent, command.initial)
    const [event] = isRight(sent) ? sent.right : []
    if (event === undefined) throw new Error('it was not sent')
    expect(commandCodec.decode(commandCodec.encode(event, context))).toMatchObject({ right: { event } })
  })
})
