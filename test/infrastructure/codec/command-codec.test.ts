import fc from 'fast-check'
import { isRight, left, right } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import type { CommandEvent } from '../../../src/domain/command/events.ts'
import { transitions } from '../../../src/domain/command/transitions.ts'
import type { EventContext } from '../../../src/domain/recorded.ts'
import { commandCodec } from '../../../src/infrastructure/codec/command-codec.ts'
import type { StoredEvent } from '../../../src/infrastructure/codec/event-codec.ts'
import { commandEvents } from '../../support/lives/command-arbitraries.ts'
import {
  canceled,
  context,
  failed,
  operatorCanceled,
  operatorRetried,
  parked,
  received,
  sent,
} from '../../support/lives/command-life.ts'

const SECRET = 'a-secret-nobody-may-see'

const stored = (event: CommandEvent, about: EventContext = context): StoredEvent =>
  JSON.parse(JSON.stringify(commandCodec.encode(event, about)))
const maybe = fc.option(fc.string(), { nil: null })
const anyContext: fc.Arbitrary<EventContext> = fc.record({
  commandType: fc.string(),
  correlationId: fc.string(),
  causationId: maybe,
  replyTo: maybe,
  tenantId: maybe,
})

const withData = (event: CommandEvent, over: object): StoredEvent => ({
  ...stored(event),
  data: { ...stored(event).data, ...over },
})
const withMeta = (over: object): StoredEvent => ({
  ...stored(canceled()),
  meta: { ...stored(canceled()).meta, ...over },
})

const asStored = (stored(canceled()).meta as { readonly context: object }).context

const faultsOf = (of: StoredEvent): readonly string[] => {
  const decoded = commandCodec.decode(of)
  return isRight(decoded) ? [] : decoded.left
}

/** The part before the colon of each fault, without duplicates. */
const pathsOf = (of: StoredEvent): readonly string[] => [
  ...new Set(faultsOf(of).map(fault => fault.slice(0, fault.indexOf(': expected ')))),
]

/** The optional members of an event. */
const optional: Readonly<Record<string, readonly string[]>> = {
  CommandSent: ['runAt', 'priority', 'expiresAt', 'lane', 'limit'],
  OperatorRetried: ['data'],
  CommandCompleted: ['receipt'],
}

describe.each(Object.entries(commandEvents))('%s', (type, events) => {
  test('is read from JSON as it was written, with its context', () => {
    fc.assert(
      fc.property(events as fc.Arbitrary<CommandEvent>, anyContext, (event, about) => {
        const kept = stored(event, about)
        expect(kept.type).toBe(type)
        expect(kept.meta).toMatchObject({ v: 1, at: event.at, actor: event.actor })
        for (const name of ['type', 'at', 'actor']) expect(kept.data).not.toHaveProperty(name)
        expect(commandCodec.decode(kept)).toEqual(right({ event, context: about }))
      }),
    )
  })

  test('is refused when a member is missing, and the fault names it', () => {
    fc.assert(
      fc.property(events as fc.Arbitrary<CommandEvent>, fc.nat(), (event, chosen) => {
        const { data, ...rest } = stored(event)
        const required = Object.keys(data).filter(name => optional[type]?.includes(name) !== true)
        const gone = required[chosen % required.length] as string
        const { [gone as keyof typeof data]: _, ...others } = data
        expect(pathsOf({ ...rest, data: others })).toEqual([`data.${gone}`])
      }),
    )
  })
})

test('every event of the table has a codec', () => {
  expect(Object.keys(commandEvents).sort()).toEqual(Object.keys(transitions).sort())
})

describe('damaged data', () => {
  test.each([
    ['data.attempt', withData(received(1), { attempt: SECRET })],
    ['data.lost', withData(received(1), { lost: null })],
    ['data.retryAt', withData(failed(1), { retryAt: [SECRET] })],
    ['data.reason', withData(parked(1), { reason: SECRET })],
    ['data.leaseExpiresAt', withData(received(1), { leaseExpiresAt: { [SECRET]: 1 } })],
    ['data.error', withData(failed(1), { error: SECRET })],
    ['data.error.type', withData(failed(1), { error: { type: SECRET, code: 'x', message: 'y' } })],
    ['data.error.message', withData(failed(1), { error: { type: 'TRANSIENT', code: 'x', message: { SECRET } } })],
    ['data.resetAttempts', withData(operatorRetried(), { resetAttempts: SECRET })],
    ['data.policy.onExhausted', withData(sent(), { policy: { ...sent().policy, onExhausted: SECRET } })],
    ['data.policy.backoffSeconds.1', withData(sent(), { policy: { ...sent().policy, backoffSeconds: [1, SECRET] } })],
    ['data', { ...stored(operatorCanceled()), data: SECRET as never }],
    ['data', { ...stored(operatorCanceled()), data: null as never }],
    ['meta.at', withMeta({ at: 17 })],
    ['meta.actor', withMeta({ actor: [SECRET] })],
    ['meta.v', withMeta({ v: SECRET })],
    ['meta.context', withMeta({ context: SECRET })],
    ['meta.context.correlationId', withMeta({ context: { ...asStored, correlationId: { SECRET } } })],
    ['meta.context.replyTo', withMeta({ context: { ...asStored, replyTo: 17 } })],
    ['meta', { ...stored(operatorCanceled()), meta: null as never }],
  ])('is refused, naming %s and never the value', (path, damaged) => {
    expect(pathsOf(damaged)).toEqual([path])
    expect(faultsOf(damaged).join()).not.toContain(SECRET)
  })

  test('is refused with all its faults at once', () => {
    const damaged = withData(received(1), { attempt: 'x', total: 'y', msgId: 1 })
    expect(pathsOf(damaged)).toEqual(['data.attempt', 'data.total', 'data.msgId'])
  })
})

describe('data that this version does not know', () => {
  test('a type is refused with the advice to upgrade', () => {
    expect(commandCodec.decode({ ...stored(canceled()), type: 'CommandTeleported' })).toEqual(
      left([expect.stringMatching(/^type: 'CommandTeleported' is not known .* upgrade/)]),
    )
  })

  test.each(['toString', 'constructor', '__proto__', ''])('the type %j is refused, too', type => {
    expect(faultsOf({ ...stored(canceled()), type })).toHaveLength(1)
  })

  test.each([2, 0, -1, 1.5, 1e9])(
    'schema version %d is refused, with the event and the versions that can be read',
    v => {
      expect(faultsOf(withMeta({ v }))).toEqual([
        `meta.v: schema version ${v} of CommandCanceled is not known (this version of commandbus reads 1 to 1)`,
      ])
    },
  )

  test('unknown members are dropped', () => {
    const decoded = commandCodec.decode(withData(canceled(), { extra: SECRET }))
    expect(decoded).toEqual(right({ event: canceled(), context }))
  })

  test('members of the data do not replace the type, the time or the actor of the event', () => {
    const decoded = commandCodec.decode(withData(canceled(), { type: 'CommandSent', at: 'never', actor: 'evil' }))
    expect(decoded).toEqual(right({ event: canceled(), context }))
  })
})
