import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { right } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { EventEncodeError, type StreamAppend } from '../../../src/application/ports/event-store.ts'
import type { BusEvent } from '../../../src/domain/bus-event.ts'
import type { EventContext } from '../../../src/domain/recorded.ts'
import type { StoredEvent } from '../../../src/infrastructure/codec/event-codec.ts'
import { busCodec } from '../../../src/infrastructure/codec/workflow-codec.ts'
import type { EventStoreDbConnection } from '../../../src/infrastructure/eventstoredb/connection/connection.ts'
import { withIntents } from '../../../src/infrastructure/eventstoredb/mirror/intents.ts'
import { createEventStoreDbEventStore } from '../../../src/infrastructure/eventstoredb/store/event-store.ts'
import { createPostgresEventStore } from '../../../src/infrastructure/postgres/log/event-store.ts'
import { busProjections } from '../../../src/projections/bus-projections.ts'
import { createTestBus } from '../../support/bus.ts'
import { commandEvents } from '../../support/lives/command-arbitraries.ts'
import { context } from '../../support/lives/command-life.ts'
import { pauseEvents } from '../../support/lives/pause-events.ts'
import { workflowEvents } from '../../support/lives/workflow-events.ts'

const SECRET = 'a-secret-nobody-may-see'

const events: { readonly [type: string]: fc.Arbitrary<BusEvent> } = {
  ...commandEvents,
  ...workflowEvents,
  ...pauseEvents,
}

const anyEvent = fc.oneof(...Object.values(events))

/** As a store returns it. */
const kept = (event: BusEvent, about: EventContext = context): StoredEvent =>
  JSON.parse(JSON.stringify(busCodec.encode(event, about)))

/** Members with any JSON of a user: checked when it is received. */
const ofUsers = new Set(['data', 'result', 'resultData', 'details', 'input', 'from', 'to'])

type Path = readonly string[]

/** Every place of an event whose shape the bus defines. */
const placesIn = (value: unknown, path: Path = []): readonly Path[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, member]): readonly Path[] => {
        const place = [...path, name]
        return ofUsers.has(name) ? [] : [place, ...placesIn(member, place)]
      })

const replaced = (value: unknown, [name, ...rest]: Path, by: unknown): unknown => {
  if (name === undefined) return by
  const below = replaced((value as Record<string, unknown>)[name], rest, by)
  return Array.isArray(value) ? value.with(Number(name), below) : { ...(value as object), [name]: below }
}

const wrong = fc.oneof(
  fc.constantFrom(undefined, null, Number.NaN, Number.POSITIVE_INFINITY, '', 'park', true, 0, 1, 7n, {}, []),
  fc.constant(new Date(0)),
  fc.string(),
  fc.integer(),
)

/** An event of the bus with one member replaced by any value. */
const almostRight = fc.tuple(anyEvent, fc.nat(), wrong).map(([event, chosen, value]) => {
  const places = placesIn(event).filter(([first]) => first !== 'type')
  return replaced(event, places[chosen % places.length] ?? [], value) as BusEvent
})

test('R1: whatever can be written is read again unchanged', () => {
  fc.assert(
    fc.property(almostRight, event => {
      let stored: StoredEvent
      try {
        stored = kept(event)
      } catch (error) {
        expect(error).toBeInstanceOf(EventEncodeError)
        return
      }
      expect(busCodec.decode(stored)).toEqual(right({ event, context }))
    }),
    { numRuns: 5_000 },
  )
})

describe.each(Object.entries(events))('R1: %s', (type, arbitrary) => {
  test('is written unchanged', () => {
    fc.assert(
      fc.property(arbitrary, event => {
        expect(busCodec.decode(kept(event))).toEqual(right({ event, context }))
      }),
      { numRuns: 20 },
    )
  })

  test('is refused before it is written when a member has another type, and the fault names it', () => {
    fc.assert(
      fc.property(arbitrary, fc.nat(), (event, chosen) => {
        const names = Object.keys(event).filter(name => name !== 'type')
        const name = names[chosen % names.length] as string
        const refusal = thrownBy(() => busCodec.encode({ ...event, [name]: Symbol(SECRET) } as never, context))
        if (ofUsers.has(name)) return
        expect(refusal).toBeInstanceOf(EventEncodeError)
        expect(refusal.message).toMatch(
          new RegExp(`^event '${type}' cannot be written: (data|meta)\\.${name}: expected `),
        )
        expect(refusal.message).not.toContain(SECRET)
      }),
      { numRuns: 20 },
    )
  })
})

test('R1: a message id that a foreign type parser turned into a number is refused, in every member', () => {
  const withMsgId = Object.entries(commandEvents).filter(([, arbitrary]) =>
    fc.sample(arbitrary as fc.Arbitrary<object>, 1).some(event => 'msgId' in event),
  )
  expect(withMsgId.length).toBeGreaterThan(5)
  for (const [, arbitrary] of withMsgId) {
    const [event] = fc.sample(arbitrary as fc.Arbitrary<BusEvent>, 1)
    const refusal = thrownBy(() => busCodec.encode({ ...event, msgId: 7 } as never, context))
    expect(refusal.message).toMatch(/data\.msgId: expected string/)
  }
})

test('R1: a context that could not be read is refused', () => {
  const [event] = fc.sample(commandEvents.CommandCanceled, 1)
  for (const name of ['commandType', 'correlationId', 'causationId', 'replyTo', 'tenantId', 'traceparent']) {
    const refusal = thrownBy(() => busCodec.encode(event as BusEvent, { ...context, [name]: 7 }))
    expect(refusal.message).toContain(`meta.context.${name}: expected `)
  }
})

test('R1: an event of an unknown type is refused', () => {
  const [event] = fc.sample(commandEvents.CommandCanceled, 1)
  expect(thrownBy(() => busCodec.encode({ ...event, type: 'Unheard' } as never, context)).message).toMatch(/'Unheard'/)
})

describe('R1: an event that could not be read again is not written', () => {
  const [event] = fc.sample(commandEvents.CommandReceived, 1)
  const append: StreamAppend<BusEvent> = {
    stream: 'command-payments-1',
    expected: 'none',
    events: [{ id: randomUUID(), event: { ...event, msgId: 7 } as never, context }],
  }

  test('to PostgreSQL', async () => {
    const { bus, pool } = await createTestBus()
    await bus.ready()
    const store = createPostgresEventStore({
      pool,
      codec: busCodec,
      projections: busProjections({ onSuccess: 'delete' }),
      ensureQueues: async () => {},
      onFilled: () => {},
    })
    await expect(store.append([append])).rejects.toThrow(EventEncodeError)
    await expect(store.appendAll([append])).rejects.toThrow(EventEncodeError)
    expect((await pool.query('select from command_bus_event')).rowCount).toBe(0)
  })

  test('to EventStoreDB', async () => {
    const asked: string[] = []
    const connection = new Proxy({} as EventStoreDbConnection, { get: (_, name) => asked.push(String(name)) })
    const store = createEventStoreDbEventStore({ connection, codec: busCodec })
    await expect(store.append([append])).rejects.toThrow(EventEncodeError)
    const client = { query: async () => asked.push('query') } as never
    await expect(withIntents(store, busCodec, () => {}).append([append], { within: client })).rejects.toThrow(
      EventEncodeError,
    )
    expect(asked).toEqual([])
  })
})

const thrownBy = (work: () => unknown): Error => {
  try {
    work()
  } catch (error) {
    return error as Error
  }
  return new Error('nothing was thrown')
}
