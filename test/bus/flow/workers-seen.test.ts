import { hostname } from 'node:os'
import { describe, expect, test } from 'vitest'
import type { KnownWorker } from '../../../src/application/ports/reading/worker-queries.ts'
import { InvalidInputError } from '../../../src/index.ts'
import { createTestBus, logIsSeparate, signal } from '../../support/bus.ts'

const recent = (instant: string | undefined): boolean => Math.abs(Date.now() - Date.parse(instant ?? '')) < 60_000

describe('workers announce themselves', () => {
  test('O8: who works, where, on what, with which build and slots; a worker that stops is gone at once', async () => {
    const { bus, work, until, pool } = await createTestBus()
    const release = signal()
    const handlers = { Pay: () => release.promise, Refund: async () => null }
    const worker = await work({ domain: 'payments', handlers, concurrency: 3, workerId: 'pay-1', build: 'abc123' })
    const other = await work({ domain: 'mail', handlers: { '*': async () => null } })
    const { commandId } = await bus.send('payments', 'Pay', {})
    await until(
      () => bus.getCommand('payments', commandId),
      found => found?.status === 'IN_PROGRESS',
    )
    // a beat from now on, instead of a wait for the next one
    await other.stop()
    const [seen] = await until(
      () => bus.workers.list(),
      found => found.length === 1 && found[0]?.busy === 1,
    )
    expect(seen).toEqual({
      workerId: 'worker:pay-1',
      domain: 'payments',
      status: 'live',
      host: hostname(),
      pid: process.pid,
      build: 'abc123',
      types: ['Pay', 'Refund'],
      slots: 3,
      busy: 1,
      running: [{ commandId, commandType: 'Pay', attempt: 1, since: expect.any(String) }],
      startedAt: expect.any(String),
      beatAt: expect.any(String),
    } satisfies KnownWorker)
    expect([seen?.startedAt, seen?.beatAt, seen?.running[0]?.since].every(recent)).toBe(true)
    expect(await bus.workers.list({ domain: 'mail' })).toEqual([])
    await expect(bus.workers.list({ domain: 'No' })).rejects.toThrow(InvalidInputError)

    // while it waits for its handler it takes nothing new
    const stopped = worker.stop()
    await until(
      () => bus.workers.list(),
      ([one]) => one?.status === 'stopping',
    )
    expect(await bus.workers.handles('payments', 'Pay')).toBe(false)
    release.resolve()
    await stopped
    expect((await pool.query('select from command_bus_worker')).rowCount).toBe(0)
  })

  test('O8: one that is silent for 20 s is lost, and after an hour others delete its row', async () => {
    const { bus, work, pool, until } = await createTestBus()
    await work({ domain: 'mail', workerId: 'alive', handlers: { '*': async () => null } })
    await until(
      () => bus.workers.list(),
      found => found.length === 1,
    )
    const silent = (workerId: string, seconds: number) =>
      pool.query(
        `insert into command_bus_worker select gen_random_uuid(), $1, 'mail', 'h', 1, null, '{*}', 1, 0, false, '[]', now(),
           clock_timestamp() - $2 * interval '1 s'`,
        [workerId, seconds],
      )
    await silent('worker:late', 15)
    await silent('worker:lost', 21)
    await silent('worker:forgotten', 3_601)
    const statuses = async () => Object.fromEntries((await bus.workers.list()).map(one => [one.workerId, one.status]))
    expect(await statuses()).toMatchObject({ 'worker:alive': 'live', 'worker:late': 'live', 'worker:lost': 'lost' })
    // a worker that starts beats at once, for the others of its process, too
    const helper = await work({ domain: 'mail', handlers: { '*': async () => null } })
    await until(statuses, found => !('worker:forgotten' in found))
    await helper.stop()
    expect(await statuses()).toEqual({ 'worker:alive': 'live', 'worker:late': 'live', 'worker:lost': 'lost' })
    // only live ones count
    await pool.query(
      `update command_bus_worker set beat_at = beat_at - interval '1 minute' where worker_id <> 'worker:lost'`,
    )
    expect(await bus.workers.handles('mail', 'Send')).toBe(false)
  })

  test('O8: a worker that dies and starts again and again does not push the living out of the list', async () => {
    const { bus, pool } = await createTestBus()
    const add = (domain: string, seconds: number, count: number) =>
      pool.query(
        `insert into command_bus_worker select gen_random_uuid(), 'worker:w', $1, 'h', 1, null, '{*}', 1, 0, false, '[]', now(),
           clock_timestamp() - $2 * interval '1 s' from generate_series(1, $3::int)`,
        [domain, seconds, count],
      )
    await add('crashing', 300, 1_100)
    await add('mail', 0, 1)
    const found = await bus.workers.list()
    expect(found).toHaveLength(1_000)
    expect(found.at(-1)).toMatchObject({ domain: 'mail', status: 'live' })
  })

  test('O8: a tenant sees how busy workers are, but no commands of others, no hosts', async () => {
    const { bus, work, until } = await createTestBus()
    const release = signal()
    await work({ domain: 'mail', handlers: { '*': () => release.promise }, concurrency: 5 })
    const ids = await Promise.all(
      [{ tenantId: 'acme' }, { tenantId: 'other' }, {}].map(
        async options => (await bus.send('mail', 'Send', {}, options)).commandId,
      ),
    )
    for (const commandId of ids)
      await until(
        () => bus.getCommand('mail', commandId),
        found => found?.status === 'IN_PROGRESS',
      )
    const beat = await work({ domain: 'beat', handlers: { '*': async () => null } })
    await beat.stop()
    await until(
      () => bus.workers.list(),
      ([one]) => one?.busy === 3,
    )
    const seenBy = async (tenant: string | null, roles: readonly ('AUDITOR' | 'ADMIN')[]) => {
      const [seen] = await bus.as({ subject: 'jane', tenant, roles }).workers.list()
      return { busy: seen?.busy, host: seen?.host, ids: seen?.running.map(one => one.commandId).sort() }
    }
    expect(await seenBy('acme', ['AUDITOR'])).toEqual({ busy: 3, host: null, ids: [ids[0]] })
    expect(await seenBy(null, ['AUDITOR'])).toEqual({ busy: 3, host: hostname(), ids: [ids[2]] })
    expect(await seenBy(null, ['ADMIN'])).toEqual({ busy: 3, host: hostname(), ids: [...ids].sort() })
    release.resolve()
  })

  test('O8: a beat that fails, or waits for a lock, stops no worker', async () => {
    const warned: string[] = []
    const log = {
      debug: () => {},
      info: () => {},
      warn: (_: object, text: string) => warned.push(text),
      error: () => {},
    }
    const { bus, work, until, pool } = await createTestBus({ log })
    const locker = await pool.connect()
    try {
      await locker.query('begin; lock table command_bus_worker')
      const worker = await work({ domain: 'mail', handlers: { '*': async () => 'done' } })
      const { commandId } = await bus.send('mail', 'Send', {})
      await until(
        () => bus.getCommand('mail', commandId),
        found => found?.status === 'COMPLETED',
      )
      await until(
        async () => warned,
        all => all.some(text => /could not announce themselves/.test(text)),
      )
      expect(worker.health().status).toBe('healthy')
      await worker.stop()
    } finally {
      await locker.query('rollback')
      locker.release()
    }
  })

  test.skipIf(logIsSeparate)('O8: one statement announces all workers of a process', async () => {
    const { work, pool, until } = await createTestBus()
    for (const domain of ['a', 'b', 'c']) await work({ domain, handlers: { '*': async () => null } })
    const beats = async () =>
      (await pool.query('select count(*)::int as rows, count(distinct beat_at)::int as beats from command_bus_worker'))
        .rows[0]
    await until(beats, ({ rows }) => rows === 3)
    // the next one, five seconds later at the most
    expect(await until(beats, ({ rows, beats: distinct }) => rows === 3 && distinct === 1)).toEqual({
      rows: 3,
      beats: 1,
    })
  })
})
