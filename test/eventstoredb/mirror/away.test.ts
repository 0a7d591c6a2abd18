import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { until } from '../../support/bus.ts'
import { OF_THIS_DATABASE } from '../../support/database.ts'
import { openLogBus, openParts, rowsOf } from '../../support/eventstoredb/bus.ts'

const charge = { commandType: 'Charge', data: {}, replyTo: 'replies' }
const rows = 'select command_id from command_bus_command'

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
           and ${OF_THIS_DATABASE}`,
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

describe('while the log cannot be reached', () => {
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
    const health = await until(
      async () => bus.catchUp.health(),
      ({ state }) => state === 'following',
    )
    expect(health.fault).toBeNull()
  })
})

describe('lag', () => {
  test('is shown while the database does not accept events, and gone afterwards', async () => {
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

  test('is zero behind events of other programs; the position goes past them', async () => {
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

  test('a subscription that stops answering is opened again', async () => {
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
