import { describe, expect, test } from 'vitest'
import type { LiveEvent, LiveFilter, Subscription } from '../../src/application/ports/reading/live-events.ts'
import { InvalidInputError, UnavailableError } from '../../src/index.ts'
import type { LiveSource } from '../../src/infrastructure/live/live-event.ts'
import { createLiveEvents, type LiveEvents } from '../../src/infrastructure/live/live-events.ts'
import { createPostgresLiveEvents } from '../../src/infrastructure/live/postgres-live-events.ts'
import { createTestBus, signal, until } from '../support/bus.ts'
import { settled } from '../support/settled.ts'
import { atEnd, lineOf, logOf } from './support.ts'

const anEvent: LiveEvent = {
  position: '0',
  stream: 'command-a-1',
  revision: 0,
  type: 'CommandSent',
  domain: 'a',
  commandId: '1',
  commandType: 'Charge',
  status: 'PENDING',
  run: null,
  at: '',
  actor: '',
  correlationId: '',
  tenantId: null,
  recordedAt: '',
}

const openLive = async (options: Parameters<typeof createPostgresLiveEvents>[1] = {}) => {
  const bus = await createTestBus()
  const live = createPostgresLiveEvents(bus.pool, options)
  atEnd(live.stop)
  return { ...bus, live }
}

/** Collects the events of a subscription until it ends; `failed` is its error. */
const gather = (subscription: Subscription) => {
  const events: LiveEvent[] = []
  let failed: unknown
  const done = (async () => {
    for await (const event of subscription) events.push(event)
  })().catch(error => {
    failed = error
  })
  return { events, done, failed: () => failed }
}

const listening = async (live: LiveEvents, filter: LiveFilter = {}) =>
  gather(await live.subscribe({ after: 'now', filter }))

describe('live events', () => {
  test('have actor, event, time and the status after it, without the payload', async () => {
    const { bus, live, work, until: wait } = await openLive()
    const all = await listening(live)
    const { commandId } = await bus.send(
      'payments',
      'Charge',
      { card: 'secret' },
      { correlationId: 'c-1', tenantId: 't1', actor: 'jane' },
    )
    const worker = await work({ domain: 'payments', handlers: { Charge: () => null }, workerId: 'w1' })
    await wait(
      async () => all.events,
      events => events.length === 2,
    )
    const common = {
      stream: `command-payments-${commandId}`,
      domain: 'payments',
      commandId,
      commandType: 'Charge',
      correlationId: 'c-1',
      tenantId: 't1',
      position: expect.stringMatching(/^\d+\/\d+$/),
      at: expect.stringMatching(/Z$/),
      recordedAt: expect.stringMatching(/Z$/),
      run: null,
    }
    expect(all.events).toEqual([
      { ...common, revision: 0, type: 'CommandSent', status: 'PENDING', actor: 'jane' },
      { ...common, revision: 1, type: 'CommandCompleted', status: 'COMPLETED', actor: worker.workerId },
    ])
  })

  test('each reader gets the events of its filter: domain, command, tenant', async () => {
    const { bus, pool, live } = await openLive()
    const { commandId } = await bus.send('payments', 'Charge', {}, { tenantId: 't1' })
    await settled(pool)
    const readers = {
      all: gather(await live.subscribe({ after: null })),
      payments: gather(await live.subscribe({ after: null, filter: { domain: 'payments' } })),
      billing: await listening(live, { domain: 'billing' }),
      one: gather(await live.subscribe({ after: null, filter: { commandId } })),
      tenant: gather(await live.subscribe({ after: null, filter: { tenantId: 't1' } })),
      tenantBilling: gather(await live.subscribe({ after: null, filter: { tenantId: 't1', domain: 'billing' } })),
    }
    await bus.send('billing', 'Invoice', {}, { tenantId: 't1' })
    await bus.send('billing', 'Invoice', {}, { tenantId: 't2' })
    await bus.send('payments', 'Charge', {})
    await bus.cancel('payments', commandId)
    await until(
      async () => readers.all.events.length,
      length => length === 5,
    )
    await live.stop()

    expect(readers.all.events.map(lineOf)).toEqual(await logOf(pool))
    expect(readers.payments.events.map(lineOf)).toEqual(await logOf(pool, "stream like 'command-payments-%'"))
    expect(readers.billing.events.map(lineOf)).toEqual(await logOf(pool, "stream like 'command-billing-%'"))
    expect(readers.one.events.map(event => event.type)).toEqual(['CommandSent', 'CommandCanceled'])
    expect(readers.tenant.events.map(event => [event.domain, event.type])).toEqual([
      ['payments', 'CommandSent'],
      ['billing', 'CommandSent'],
      ['payments', 'CommandCanceled'],
    ])
    expect(readers.tenantBilling.events).toHaveLength(1)
  })

  test('a reader whose last read of the past is overtaken by the shared stream goes on by itself', async () => {
    const log: LiveEvent[] = []
    const append = (): void => {
      log.push({ ...anEvent, position: String(log.length + 1), revision: log.length })
    }
    let hold: { readonly taken: () => void; readonly until: Promise<void> } | null = null
    const source: LiveSource = {
      beginning: '0',
      head: async () => String(log.length),
      parse: text => text,
      has: async () => true,
      compare: (a, b) => Number(a) - Number(b),
      read: async (after, limit) => {
        const events = log.slice(Number(after), Number(after) + limit)
        if (after === '0' && hold !== null) {
          hold.taken()
          await hold.until
        }
        return { events, reached: events.at(-1)?.position ?? after, more: events.length === limit }
      },
    }
    const live = createLiveEvents({ source, listen: () => ({ stop: async () => {} }), pollMs: 5 })
    atEnd(live.stop)
    append()
    const quick = await listening(live)
    await until(
      async () => live.following(),
      following => following === 1,
    )
    const taken = signal()
    const released = signal()
    hold = { taken: taken.resolve, until: released.promise }
    const late = gather(await live.subscribe({ after: null }))
    await taken.promise
    append()
    append()
    await until(
      async () => quick.events.length,
      length => length === 2,
    )
    released.resolve()
    await until(
      async () => live.following(),
      following => following === 2,
    )
    append()
    await until(
      async () => [quick.events.length, late.events.length],
      ([first]) => first === 3,
    )
    expect(late.events.map(event => event.position)).toEqual(['1', '2', '3', '4'])
  })

  test('a reader whose buffer is full reads from the log again, misses nothing, and returns to the shared stream; others are not affected', async () => {
    const { bus, pool, live } = await openLive({ maxBuffered: 10 })
    const quick = await listening(live)
    const slow = await live.subscribe({ after: 'now' })
    const iterator = slow[Symbol.asyncIterator]()
    const first = iterator.next()
    await until(
      async () => live.following(),
      following => following === 2,
    )
    await bus.send('payments', 'Charge', {})
    const seen = [(await first).value as LiveEvent]
    for (let i = 0; i < 30; i++) await bus.send('payments', 'Charge', {})
    await until(
      async () => quick.events.length,
      length => length === 31,
    )
    expect(slow.reached()).toBe(seen[0]?.position)

    const take = async (count: number): Promise<void> => {
      while (seen.length < count) seen.push((await iterator.next()).value as LiveEvent)
    }
    await take(12)
    expect(live.following()).toBe(1)
    await take(31)
    const next = iterator.next()
    await until(
      async () => live.following(),
      following => following === 2,
    )
    await bus.send('payments', 'Charge', {})
    seen.push((await next).value as LiveEvent)
    expect(seen.map(lineOf)).toEqual(await logOf(pool))
  })

  test('a slow reader gets every event in order, past and present', async () => {
    const { bus, pool, live } = await openLive({ maxBuffered: 5, pageSize: 10 })
    await bus.sendBatch(
      'payments',
      Array.from({ length: 200 }, () => ({ commandType: 'Charge', data: {} })),
    )
    const seen: string[] = []
    for await (const event of await live.subscribe({ after: null })) {
      seen.push(lineOf(event))
      // more events arrive than the buffer holds
      if (seen.length < 20) await bus.send('payments', 'Charge', {})
      if (seen.length === 219) break
    }
    expect(seen).toEqual(await logOf(pool))
  })

  test('without readers nothing polls or listens; between two polls no transaction is open', async () => {
    const { bus, pool, live } = await openLive({ pollMs: 20 })
    const connections = async (): Promise<readonly string[]> => {
      const { rows } = await pool.query(
        `select query from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
         and (query like 'listen%' or state like 'idle in transaction%')`,
      )
      return rows.map(row => row.query)
    }
    expect(live.running()).toBe(false)
    const reader = await listening(live)
    await until(connections, queries => queries.length === 1)
    await bus.send('payments', 'Charge', {})
    await until(
      async () => reader.events.length,
      length => length === 1,
    )
    expect(await connections()).toEqual(['listen command_bus_doorbell'])

    const other = await live.subscribe({ after: 'now' })
    const iterator = other[Symbol.asyncIterator]()
    const waiting = iterator.next()
    await until(
      async () => live.readers(),
      readers => readers === 2,
    )
    other.close()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(live.running()).toBe(true)
    await live.stop()
    await reader.done
    expect(reader.failed()).toBeUndefined()
    expect(live.running()).toBe(false)
    await until(connections, queries => queries.length === 0)
    await expect(live.subscribe({ after: 'now' })).rejects.toThrow(UnavailableError)
  })

  test('when the last reader leaves the polling stops; the next reader starts it again', async () => {
    const { bus, pool, live } = await openLive()
    for (const round of [1, 2, 3]) {
      const subscription = await live.subscribe({ after: 'now' })
      const reader = gather(subscription)
      await bus.send('payments', `Round${round}`, {})
      await until(
        async () => reader.events.length,
        length => length === 1,
      )
      expect(reader.events[0]?.commandType).toBe(`Round${round}`)
      subscription.close()
      await reader.done
      await until(
        async () => live.running(),
        running => !running,
      )
      await bus.send('payments', 'Unseen', {})
      await settled(pool)
    }
  })

  test('readers survive connections that are cut', async () => {
    const { bus, pool, live } = await openLive({ pollMs: 50 })
    const reader = await listening(live)
    await bus.send('payments', 'Charge', {})
    await until(
      async () => reader.events.length,
      length => length === 1,
    )
    await pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    )
    await bus.send('payments', 'Charge', {})
    await until(
      async () => reader.events.length,
      length => length === 2,
    )
  })

  test('events without a message are found by polling, others by notification', async () => {
    const { bus, live } = await openLive({ pollMs: 60_000 })
    const reader = await listening(live)
    const { commandId } = await bus.send('payments', 'Charge', {})
    await until(
      async () => reader.events.length,
      length => length === 1,
    )
    // causes no notification, but comes soon after an event that did
    await bus.cancel('payments', commandId)
    await until(
      async () => reader.events.length,
      length => length === 2,
    )
  })

  test.each([['abc'], ['1'], ['1/2/3'], ['-1/2'], ['99999999999999999999/1'], ['1/9999999999999999999']])(
    'an invalid position is refused: %s',
    async position => {
      const { live } = await openLive()
      await expect(live.subscribe({ after: position })).rejects.toThrow(InvalidInputError)
    },
  )

  test('a position ahead of this log is refused', async () => {
    const { bus, live } = await openLive()
    await bus.send('payments', 'Charge', {})
    await expect(live.subscribe({ after: '9000000000/1' })).rejects.toThrow(/past the end of this log/)
  })

  test('more readers than allowed are refused', async () => {
    const { live } = await openLive({ maxReaders: 1 })
    await listening(live)
    await expect(live.subscribe({ after: 'now' })).rejects.toThrow(/1 live readers/)
  })
})
