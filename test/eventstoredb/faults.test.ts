import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { commandCodec } from '../../src/infrastructure/codec/command-codec.ts'
import { assertLogIsHere } from '../../src/infrastructure/eventstoredb/whose-log.ts'
import { createQueueCatalog } from '../../src/infrastructure/pgmq/queue.ts'
import { until } from '../support/bus.ts'
import { createCommandStore, sending } from '../support/command-store.ts'
import { openLogBus, openParts, rowsOf } from '../support/eventstoredb/bus.ts'
import { bytesOf } from '../support/eventstoredb/wire.ts'

const charge = { commandType: 'Charge', data: {}, replyTo: 'replies' }
const rows = 'select command_id from command_bus_command'

describe('an event that cannot be applied stops the projection, with its stream and revision, and nothing else', () => {
  const poison = { type: 'Unheard', contentType: 'application/json', data: bytesOf('{}'), metadata: bytesOf('{}') }

  test('one that cannot be read: what is before it is applied, sending goes on', async () => {
    const parts = await openParts()
    const bus = openLogBus(parts)
    const [commandId, later] = [randomUUID(), randomUUID()]
    await bus.send('payments', { ...charge, commandId })
    parts.double.log.append(`command-payments-${commandId}`, 0, [{ ...poison, id: randomUUID() }])
    bus.catchUp.start()
    const health = await until(
      async () => bus.catchUp.health(),
      ({ state }) => state === 'faulted',
    )
    expect(health.fault).toMatchObject({ stream: `command-payments-${commandId}`, revision: 1 })
    expect(health.status).toBe('critical')
    expect(health.reasons.join()).toMatch(/revision 1 of 'command-payments-.*Unheard/)
    expect(await bus.reader.get('payments', commandId)).toMatchObject({ status: 'PENDING' })
    expect(await bus.send('payments', { ...charge, commandId: later })).toMatchObject({ outcome: 'accepted' })
    const awaited = { stream: `command-payments-${later}`, revision: 0 }
    expect(await bus.catchUp.waitFor(awaited, { timeoutMs: 100 })).toEqual({ outcome: 'late' })
  })

  test('resumed when its cause is mended, it goes on where it stood', async () => {
    const parts = await openParts()
    let isBroken = true
    const codec: typeof commandCodec = {
      ...commandCodec,
      decode: stored => commandCodec.decode(isBroken ? { ...stored, type: 'Unheard' } : stored),
    }
    const bus = openLogBus(parts, { codec })
    const commandId = randomUUID()
    await bus.send('payments', { ...charge, commandId })
    bus.catchUp.start()
    await until(
      async () => bus.catchUp.health(),
      ({ state }) => state === 'faulted',
    )
    isBroken = false
    bus.catchUp.resume()
    const awaited = { stream: `command-payments-${commandId}`, revision: 0 }
    expect(await bus.catchUp.waitFor(awaited)).toMatchObject({ outcome: 'dispatched' })
    expect(bus.catchUp.health()).toMatchObject({ status: 'healthy', fault: null })
  })

  test('one that PostgreSQL refuses, in the middle of many', async () => {
    const parts = await openParts()
    const bus = openLogBus(parts)
    const appends = Array.from({ length: 21 }, () => sending('payments'))
    const bad = appends[13] as (typeof appends)[0]
    for (const append of appends) {
      const [first] = append.events as [(typeof append.events)[0]]
      const event = append === bad ? { ...first.event, correlationId: 'a\u0000b' } : first.event
      await bus.store.append([{ ...append, events: [{ ...first, event }] }])
    }
    bus.catchUp.start()
    const { fault } = await until(
      async () => bus.catchUp.health(),
      ({ state }) => state === 'faulted',
    )
    expect(fault).toMatchObject({ stream: bad.stream, revision: 0 })
    expect(await rowsOf(parts.database.pool, rows)).toHaveLength(13)
  })

  test('a mirror that somebody else writes to', async () => {
    const parts = await openParts()
    const bus = openLogBus(parts)
    const commandId = randomUUID()
    await createQueueCatalog(parts.database.pool).ensure(new Set(['payments__commands']))
    await createCommandStore(parts.database.pool).append([sending('payments', commandId)])
    await bus.send('payments', { ...charge, commandId })
    bus.catchUp.start()
    const { fault } = await until(
      async () => bus.catchUp.health(),
      ({ state }) => state === 'faulted',
    )
    expect(fault?.message).toMatch(/another event/)
  })
})

describe('whose log a database has', () => {
  test('one that mirrors EventStoreDB is refused as a log, and goes on as a mirror', async () => {
    const parts = await openParts()
    const { pool } = parts.database
    await expect(assertLogIsHere(pool)).resolves.toBeUndefined()
    const bus = openLogBus(parts)
    await bus.begin()
    await bus.begin()
    await bus.send('payments', charge)
    await until(
      async () => bus.catchUp.health().applied,
      applied => applied === 1,
    )
    await expect(assertLogIsHere(pool)).rejects.toThrow(/set EVENTSTORE_URL/)
    await bus.close()
    await expect(openLogBus(parts).begin()).resolves.toBeUndefined()
  })

  test('one with a log of its own is refused as a mirror', async () => {
    const parts = await openParts()
    await createQueueCatalog(parts.database.pool).ensure(new Set(['payments__commands']))
    await createCommandStore(parts.database.pool).append([sending('payments')])
    const bus = openLogBus(parts)
    await expect(bus.begin()).rejects.toThrow(/a log of its own/)
    expect(bus.catchUp.health().state).toBe('stopped')
  })
})

describe('fail-over', () => {
  test('when the follower loses its connection, one goes on: nothing is lost, nothing is double', async () => {
    const parts = await openParts()
    const { pool } = parts.database
    const buses = [openLogBus(parts), openLogBus(parts), openLogBus(parts)]
    for (const { catchUp } of buses) catchUp.start()
    const states = async () => buses.map(({ catchUp }) => catchUp.health().state).sort()
    const settled = ['following', 'standby', 'standby']
    await until(states, found => found.join() === settled.join())
    const ids = Array.from({ length: 300 }, () => randomUUID())
    const sending = Promise.all(ids.map((commandId, i) => buses[i % 3]?.send('payments', { ...charge, commandId })))
    for (const part of [20, 120, 220]) {
      await until(
        () => rowsOf(pool, rows),
        found => found.length >= part,
      )
      await pool.query(
        `select pg_terminate_backend(pid) from pg_locks
         where locktype = 'advisory' and mode = 'ExclusiveLock' and granted and objsubid = 1
           and database = (select oid from pg_database where datname = current_database())`,
      )
    }
    await sending
    await until(
      () => rowsOf(pool, rows),
      found => found.length === ids.length,
    )
    const sent = await rowsOf(pool, `select message->>'command_id' as id from pgmq.q_payments__commands`)
    expect(sent.map(({ id }) => id).sort()).toEqual([...ids].sort())
    await until(states, found => found.join() === settled.join())
  })

  test('when the follower stops, another takes over', async () => {
    const parts = await openParts()
    const [first, second] = [openLogBus(parts), openLogBus(parts)]
    first.catchUp.start()
    await until(
      async () => first.catchUp.health().state,
      state => state === 'following',
    )
    second.catchUp.start()
    await until(
      async () => second.catchUp.health().state,
      state => state === 'standby',
    )
    await first.close()
    await until(
      async () => second.catchUp.health().state,
      state => state === 'following',
    )
    expect(first.catchUp.health()).toMatchObject({ state: 'stopped', status: 'critical' })
  })
})

describe('the log away', () => {
  test('in the middle of 1,000 commands: nothing is lost, work resumes by itself', async () => {
    const parts = await openParts()
    const { pool } = parts.database
    const { double } = parts
    const bus = openLogBus(parts, { retryMs: 30_000 })
    bus.catchUp.start()
    await bus.work({ domain: 'payments', concurrency: 20, handlers: { Charge: async () => 'paid' } })
    const ids = Array.from({ length: 1_000 }, () => randomUUID())
    const sending = Promise.all(ids.map(commandId => bus.send('payments', { ...charge, commandId })))
    const completed = async (): Promise<number> =>
      (await rowsOf(pool, `select 1 from command_bus_command where status = 'COMPLETED'`)).length
    await until(completed, n => n >= 150)
    double.stop()
    await until(
      async () => bus.catchUp.health().state,
      state => state === 'retrying',
    )
    await double.start()
    await until(completed, n => n >= 400)
    double.hush()
    await until(
      async () => bus.catchUp.health().state,
      state => state === 'retrying',
    )
    double.heal()
    await until(completed, n => n >= 700)
    double.dropAfterCommit(2)
    expect(new Set((await sending).map(sent => sent?.outcome))).toEqual(new Set(['accepted']))
    await until(completed, n => n === ids.length)
    const replies = await rowsOf(pool, `select message->>'command_id' as id from pgmq.q_replies`)
    expect(replies.map(({ id }) => id).sort()).toEqual([...ids].sort())
    await until(
      () => rowsOf(pool, 'select 1 from pgmq.q_payments__commands'),
      left => left.length === 0,
    )
    expect(bus.catchUp.health()).toMatchObject({ state: 'following', fault: null })
  })
})

describe('lag', () => {
  test('is shown while the database does not take what arrives, and gone afterwards', async () => {
    const parts = await openParts()
    const bus = openLogBus(parts)
    bus.catchUp.start()
    await bus.send('payments', { ...charge })
    await until(
      async () => bus.catchUp.health().applied,
      applied => applied === 1,
    )
    const holder = await parts.database.pool.connect()
    await holder.query('begin; lock table command_bus_event in exclusive mode')
    await bus.send('payments', { ...charge })
    await until(
      async () => bus.catchUp.health().lagMs,
      lagMs => lagMs > 300,
    )
    await holder.query('commit')
    holder.release()
    await until(
      async () => bus.catchUp.health(),
      ({ lagMs, applied }) => lagMs === 0 && applied === 2,
    )
  })

  test('is none behind events of others; the position goes past them', async () => {
    const parts = await openParts()
    const bus = openLogBus(parts)
    bus.catchUp.start()
    await bus.send('payments', { ...charge })
    await until(
      async () => bus.catchUp.health().applied,
      applied => applied === 1,
    )
    const { position } = bus.catchUp.health()
    parts.double.addSystemEvents(200)
    await until(
      async () => bus.catchUp.health().position,
      now => now !== position,
    )
    expect(bus.catchUp.health()).toMatchObject({ lagMs: 0, status: 'healthy' })
  })

  test('a subscription that falls silent is opened anew', async () => {
    const parts = await openParts()
    const bus = openLogBus(parts, { stallMs: 200 })
    parts.double.hush()
    bus.catchUp.start()
    await until(
      async () => bus.catchUp.health(),
      ({ state }) => state === 'retrying',
    )
    expect(bus.catchUp.health().reasons.join()).toMatch(/has not confirmed/)
    parts.double.heal()
    await until(
      async () => bus.catchUp.health(),
      ({ state }) => state === 'following',
    )
  })
})
