import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CommandEvent } from '../../src/domain/command/events.ts'
import type { EventContext } from '../../src/domain/recorded.ts'
import { type Effect, outbox } from '../../src/projections/outbox.ts'
import { commandEvent } from '../support/lives/command-arbitraries.ts'
import {
  at,
  canceled,
  completed,
  context,
  error,
  exhausted,
  failed,
  key,
  operatorCanceled,
  operatorCompleted,
  operatorRetried,
  parked,
  received,
  recorded,
  rejectedByRule,
  sent,
} from '../support/lives/command-life.ts'

const queue = 'payments__commands'

const effectsOf = (event: CommandEvent, over: Partial<EventContext> = {}): readonly Effect[] =>
  recorded([event], over).flatMap(outbox({ onSuccess: 'delete' }))

const reply = (body: object): object => ({
  kind: 'reply',
  queue: 'payments__replies',
  body: { command_id: key.commandId, correlation_id: 'order-7', domain: 'payments', type: 'ChargeResponse', ...body },
})

const head = {
  command_id: key.commandId,
  command_type: 'Charge',
  domain: 'payments',
  correlation_id: 'order-7',
  reply_to: 'payments__replies',
}

describe('messages', () => {
  test('A13: CommandSent puts one on the queue of the domain, with exactly these members', () => {
    expect(effectsOf(sent({ at: at(5) }))).toEqual([
      { kind: 'enqueue', queue, body: { ...head, created_at: at(5), data: { amount: 5 } } },
    ])
  })

  test('A13: reply_to is left out when no reply is wanted', () => {
    const [effect] = effectsOf(sent(), { replyTo: null })
    expect(effect?.kind === 'enqueue' && Object.keys(effect.body)).toEqual([
      'command_id',
      'command_type',
      'domain',
      'correlation_id',
      'created_at',
      'data',
    ])
  })

  test('A15: the correlation id of the command is the one of its message and its reply', () => {
    const effects = [sent(), completed(1)].flatMap(event => effectsOf(event, { correlationId: 'ä 🎈' }))
    const ids = effects.flatMap(effect => ('body' in effect ? [effect.body.correlation_id] : []))
    expect(ids).toEqual(['ä 🎈', 'ä 🎈'])
  })

  test('A1: OperatorRetried sends the archived one again, with the data for the case that the archive was purged', () => {
    expect(effectsOf(operatorRetried({ archivedMsgId: '42', dataRevision: 0 }))).toEqual([
      { kind: 'resend', queue, archivedMsgId: '42', head: { ...head, created_at: at(100) }, dataRevision: 0 },
    ])
  })

  test("OperatorRetried takes nothing from the archive when the command's message was changed", () => {
    expect(effectsOf(operatorRetried({ archivedMsgId: '42', dataRevision: 0, fromLog: true }))).toEqual([
      { kind: 'resend', queue, archivedMsgId: null, head: { ...head, created_at: at(100) }, dataRevision: 0 },
    ])
  })

  test('and replies continue the trace of the send', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    for (const event of [sent(), operatorRetried(), completed(1)]) {
      const [told] = effectsOf(event, { traceparent }).flatMap(effect =>
        'body' in effect ? [effect.body] : 'head' in effect ? [effect.head] : [],
      )
      expect(told).toMatchObject({ traceparent })
    }
  })

  test.each([{ amount: 6 }, null, false, ''])('A1: OperatorRetried with the edited payload %j replaces it', data => {
    expect(effectsOf(operatorRetried({ archivedMsgId: '42', dataRevision: 3, data }))).toEqual([
      { kind: 'resend', queue, archivedMsgId: '42', head: { ...head, created_at: at(100) }, dataRevision: 3, data },
    ])
  })

  test('go to the queue of a domain with dots as two underscores', () => {
    const events = recorded([sent()]).map(of => ({ ...of, stream: `command-eu.payments-${key.commandId}` }))
    const effects = events.flatMap(outbox({ onSuccess: 'delete' }))
    expect(effects).toMatchObject([{ queue: 'eu__payments__commands', body: { domain: 'eu.payments' } }])
  })
})

describe('what becomes of the message', () => {
  test('A17: CommandReceived leaves it where it is', () => {
    expect(effectsOf(received(1))).toEqual([])
  })

  test('A19: CommandFailed hides the same message until its next attempt, and sends no reply', () => {
    expect(effectsOf(failed(1, { msgId: '42', at: at(2), retryAt: at(12) }))).toEqual([
      { kind: 'postpone', queue, msgId: '42', waitMs: 10_000 },
    ])
  })

  test('R7: CommandFailed of an attempt that does not count reduces the read count again', () => {
    expect(effectsOf(failed(2, { msgId: '42', at: at(2), retryAt: at(2), uncounted: true }))).toEqual([
      { kind: 'postpone', queue, msgId: '42', waitMs: 0, uncount: true },
    ])
  })

  test.each(['PERMANENT', 'EXHAUSTED', 'LEASE_LOST', 'NO_HANDLER', 'INVALID_PAYLOAD'] as const)(
    'A12: parking for %s archives it, and sends no reply',
    reason => {
      expect(effectsOf(parked(1, reason, { msgId: '42' }))).toEqual([{ kind: 'archive', queue, msgId: '42' }])
    },
  )

  test('A18: CommandCompleted deletes it, or archives it when asked', () => {
    const events = recorded([completed(1, { msgId: '42' })], { replyTo: null })
    expect(events.flatMap(outbox({ onSuccess: 'delete' }))).toEqual([{ kind: 'delete', queue, msgId: '42' }])
    expect(events.flatMap(outbox({ onSuccess: 'archive' }))).toEqual([{ kind: 'archive', queue, msgId: '42' }])
  })

  test.each([rejectedByRule(1, { msgId: '42' }), exhausted(1, { msgId: '42' })])('$type archives it', event => {
    expect(effectsOf(event, { replyTo: null })).toEqual([{ kind: 'archive', queue, msgId: '42' }])
  })

  test('CommandCanceled archives the message that is on the queue now', () => {
    expect(effectsOf(canceled(), { replyTo: null })).toEqual([{ kind: 'archive-current', queue }])
  })

  test.each([operatorCanceled(), operatorCompleted()])('A8: $type leaves the archived message there', event => {
    expect(effectsOf(event, { replyTo: null })).toEqual([])
  })
})

describe('the reply', () => {
  test('A18: of CommandCompleted is SUCCESS with the result, twice', () => {
    const result = { charged: true }
    expect(effectsOf(completed(1, { at: at(7), result }))[1]).toEqual(
      reply({ outcome: 'SUCCESS', completed_at: at(7), data: result, result }),
    )
  })

  test('A22, F13: of a broken business rule is FAILED with code, message, class and details', () => {
    const broken = error('BUSINESS_RULE', { code: 'NO_FUNDS', message: 'too little', details: { missing: 3 } })
    expect(effectsOf(rejectedByRule(1, { at: at(7), error: broken }))[1]).toEqual(
      reply({
        outcome: 'FAILED',
        completed_at: at(7),
        error: { code: 'NO_FUNDS', message: 'too little', class: 'BUSINESS_RULE', details: { missing: 3 } },
        // where readers of other libraries look
        error_code: 'NO_FUNDS',
        error_message: 'too little',
        result: { error_code: 'NO_FUNDS' },
      }),
    )
  })

  test('A22: of a failure without details has none', () => {
    expect(effectsOf(exhausted(3, { at: at(7) }))[1]).toEqual(
      reply({
        outcome: 'FAILED',
        completed_at: at(7),
        error: { code: 'CODE_TRANSIENT', message: 'it was TRANSIENT', class: 'TRANSIENT' },
        error_code: 'CODE_TRANSIENT',
        error_message: 'it was TRANSIENT',
        result: { error_code: 'CODE_TRANSIENT' },
      }),
    )
  })

  test("A6: of an operator's cancel is CANCELED with the reason", () => {
    expect(effectsOf(operatorCanceled({ at: at(7), reason: 'a duplicate' }))).toEqual([
      reply({
        outcome: 'CANCELED',
        completed_at: at(7),
        reason: 'a duplicate',
        error: { code: 'OPERATOR_CANCELED', message: 'a duplicate', class: 'OPERATOR' },
      }),
    ])
  })

  test("of the sender's own cancel is CANCELED, too, with a default text when no reason was given", () => {
    const reasons = ['changed my mind', null].map(reason => effectsOf(canceled({ reason }))[1])
    expect(reasons).toEqual(
      ['changed my mind', 'canceled by the sender'].map(reason =>
        reply({
          outcome: 'CANCELED',
          completed_at: at(1),
          reason,
          error: { code: 'SENDER_CANCELED', message: reason, class: 'SENDER' },
        }),
      ),
    )
  })

  test("A9: of an operator's completion is SUCCESS with the given data", () => {
    const resultData = { settledBy: 'hand' }
    expect(effectsOf(operatorCompleted({ at: at(7), resultData }))).toEqual([
      reply({ outcome: 'SUCCESS', completed_at: at(7), data: resultData, result: resultData }),
    ])
  })

  test('A8: is never sent when none was requested', () => {
    fc.assert(
      fc.property(commandEvent, event => {
        expect(effectsOf(event, { replyTo: null }).map(effect => effect.kind)).not.toContain('reply')
      }),
    )
  })

  test('goes to the queue that the command names, whatever its domain', () => {
    expect(effectsOf(completed(1), { ...context, replyTo: 'elsewhere' })[1]).toMatchObject({ queue: 'elsewhere' })
  })
})

test('events of other streams have no effect', () => {
  fc.assert(
    fc.property(commandEvent, event => {
      const others = recorded([event]).map(of => ({ ...of, stream: `run-${key.commandId}` }))
      expect(others.flatMap(outbox({ onSuccess: 'delete' }))).toEqual([])
    }),
  )
})
