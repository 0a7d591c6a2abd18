import pg from 'pg'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { type CommandBus, type CommandBusOptions, UnavailableError } from '../../src/index.ts'
import { knownPooling, notePooling } from '../../src/infrastructure/postgres/connection/database.ts'
import { toPublicError } from '../../src/infrastructure/postgres/connection/errors.ts'
import { migrate } from '../../src/infrastructure/postgres/schema/migrate.ts'
import { ensurePgmq } from '../../src/infrastructure/postgres/schema/pgmq-install.ts'
import { createPool, poolingOf, poolLike } from '../../src/infrastructure/postgres/transactions/pool.ts'
import { checkHealth } from '../../src/infrastructure/service/checks.ts'
import { createTestBus, logIsSeparate, type TestBus, until } from '../support/bus.ts'
import { createEmptyDatabase, createTestDatabase } from '../support/database.ts'
import { parked } from '../support/park.ts'
import { files, jane, quickly, runsOf } from '../support/runs.ts'
import { noPgBouncer, type PgBouncerOptions, startPgBouncer } from '../support/servers/pgbouncer.ts'

const POOLER = 'pooler in transaction mode'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** A way to the database through PgBouncer. */
const through = async (url: string, options: PgBouncerOptions): Promise<string> => {
  const bouncer = await startPgBouncer(url, options)
  onTestFinished(bouncer.stop)
  return bouncer.url
}

const open = (url: string, max = 4): pg.Pool => {
  const pool = createPool(url, max)
  cleanUps.push(() => pool.end())
  return pool
}

interface Pooled extends TestBus {
  readonly url: string
  /** Buses through the pooler, as separate processes would have them. */
  readonly pooled: (options?: CommandBusOptions) => CommandBus
}

const openPooled = async (options: PgBouncerOptions): Promise<Pooled> => {
  const test = await createTestBus()
  const url = await through(test.database.url, options)
  const pooled = (more: CommandBusOptions = {}) => test.another({ databaseUrl: url, workflows: quickly, ...more })
  return { ...test, url, pooled }
}

/** All work of a bus, by two buses at once. */
const liveThrough = async ({ pooled, url, work }: Pooled): Promise<void> => {
  const [bus, other] = [pooled(), pooled()]
  const user = new pg.Pool({ connectionString: url, max: 4 })
  user.on('error', () => {})
  onTestFinished(() => user.end())
  await user.query('create table seen (n int primary key)')
  const calls = new Map<string, number>()
  const handlers = {
    // longer than the lease: heartbeats extend it
    Long: async () => {
      await new Promise(resolve => setTimeout(resolve, 1_500))
      return { long: true }
    },
    FailOnce: (_: unknown, { command: { commandId } }: { readonly command: { readonly commandId: string } }) => {
      const call = (calls.get(commandId) ?? 0) + 1
      calls.set(commandId, call)
      if (call === 1) throw new Error('not yet')
      return { call }
    },
    Park: () => {
      throw Object.assign(new Error('never'), { code: 'NEVER' })
    },
    Quick: (data: unknown) => data,
    ...(logIsSeparate
      ? {}
      : {
          Write: {
            transactional: true as const,
            handle: async (data: { readonly n: number }, { client }: { readonly client: pg.ClientBase }) => {
              await client.query('insert into seen values ($1)', [data.n])
              return data
            },
          },
        }),
  }
  for (const one of [bus, other]) await work({ domain: 'shop', pollMs: 50, leaseSeconds: 1, handlers } as never, one)

  const ids: string[] = []
  const sent = async (type: string, data: unknown, options = {}): Promise<string> => {
    const { commandId } = await bus.send('shop', type, data, { backoffSeconds: [0.05], ...options })
    ids.push(commandId)
    return commandId
  }
  await sent('Long', {})
  await sent('FailOnce', {})
  const hopeless = await Promise.all([1, 2, 3].map(n => bus.send('shop', 'Park', { n }, { maxAttempts: 1 })))
  await bus.sendBatch(
    'shop',
    Array.from({ length: 40 }, (_, n) => ({ commandType: 'Quick', data: { n }, replyTo: 'shop__answers' })),
  )
  if (!logIsSeparate) {
    for (let n = 0; n < 20; n++) await sent('Write', { n })
    const client = await user.connect()
    await client.query('begin')
    await client.query('insert into seen values (1000)')
    ids.push((await bus.send('shop', 'Write', { n: 1001 }, { client })).commandId)
    await client.query('commit')
    client.release()
  }
  for (const id of ids) {
    await until(
      () => other.getCommand('shop', id),
      command => command?.status === 'COMPLETED',
    )
  }
  await until(
    () => bus.queryCommands({ domain: 'shop', status: 'COMPLETED', limit: 100 }),
    ({ items }) => items.length === 40 + ids.length,
  )
  await until(
    () => bus.troubleshooting.list({ domain: 'shop' }),
    ({ total }) => total === hopeless.length,
  )
  if (!logIsSeparate) expect((await user.query('select count(*)::int as n from seen')).rows).toEqual([{ n: 22 }])
  expect((await user.query('select count(*)::int as n from pgmq.q_shop__answers')).rows).toEqual([{ n: 40 }])
  const asked = await Promise.all([1, 2, 3].map(n => other.request('shop', 'Quick', { n })))
  expect(asked.map(({ data }) => data)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])

  const following = new AbortController()
  const acting = bus.actions.run(following.signal)
  const { actionId } = await bus.actions.start({
    action: 'cancel',
    filter: { domain: 'shop' },
    operator: 'jane',
    reason: 'x',
  })
  await until(
    () => bus.actions.get(actionId),
    action => action?.status === 'COMPLETED',
  )
  const runs = runsOf({ bus, work: (options, of) => work(options, of ?? bus) })
  await runs.grant(100)
  const { stop } = await runs.atWork()
  const run = await bus.runs.initiate(jane, { templateId: await runs.template(), files: files('ok', 'ok') })
  await runs.ended(run.id)
  await stop()
  following.abort()
  await acting
  expect((await bus.getHistory('shop', ids[0] ?? '')).items.length).toBeGreaterThan(1)
  expect((await bus.troubleshooting.groups({ domain: 'shop' })).length).toBe(0)
  expect((await bus.maintenance.verifyLog()).findings).toEqual([])
  expect(await bus.maintenance.verify()).toEqual([])
}

/** Of eight that the pooler has; leaders hold some. */
const SEEN = 5

/** The pooler's server connections, by their session state. */
const leftBehind = async (url: string, database: pg.Pool): Promise<unknown> => {
  const { rows: locks } = await database.query(
    `select count(*)::int as n from pg_locks l join pg_database d on d.oid = l.database
     where l.locktype = 'advisory' and d.datname = current_database()`,
  )
  const pool = new pg.Pool({ connectionString: url, max: SEEN })
  pool.on('error', () => {})
  const clients = await Promise.all(Array.from({ length: SEEN }, () => pool.connect()))
  const seen = new Set<string>()
  for (const client of clients) await client.query('begin')
  for (const client of clients) {
    const { rows } = await client.query(
      `select (select count(*)::int from pg_listening_channels()) as channels, current_setting('statement_timeout') as timeout,
         current_setting('default_transaction_read_only') as readonly, (select count(*)::int from pg_prepared_statements) as prepared`,
    )
    seen.add(JSON.stringify(rows[0]))
    await client.query('commit')
  }
  for (const client of clients) client.release()
  await pool.end()
  return { locks: locks[0].n, sessions: [...seen].map(text => JSON.parse(text)) }
}

describe.skipIf(noPgBouncer !== null)(
  `R10: a pooler in front of the database${noPgBouncer ? ` (${noPgBouncer})` : ''}`,
  () => {
    it('R10: session mode without ignored start parameters: everything works, and workers listen', async () => {
      const test = await openPooled({ mode: 'session', poolSize: 100 })
      await liveThrough(test)
      const bus = test.pooled()
      const worker = await test.work({ domain: 'shop', handlers: { Never: () => null } }, bus)
      await until(
        async () => worker.health(),
        ({ status }) => status === 'healthy',
      )
      expect(worker.health().reasons).toEqual([])
      if (!logIsSeparate) expect((await bus.maintenance.rebuild()).commands).toBeGreaterThan(60)
    }, 60_000)

    it('R10: transaction mode: everything works by polling, and leaves nothing behind on connections of others', async () => {
      const test = await openPooled({ mode: 'transaction', poolSize: 8 })
      await liveThrough(test)
      const said: string[] = []
      const note = (_: unknown, text: string): void => void said.push(text)
      const bus = test.pooled({ log: { debug: note, info: note, warn: note, error: note } as never })
      const worker = await test.work({ domain: 'shop', handlers: { Never: () => null } }, bus)
      expect(worker.health()).toEqual({ status: 'healthy', reasons: [expect.stringContaining(POOLER)] })
      await bus.queryCommands({})
      expect(said.filter(text => text.includes(POOLER))).toHaveLength(1)
      const { checks } = await checkHealth(open(test.url))
      expect(checks.database).toMatchObject({
        status: 'healthy',
        pooling: 'transaction',
        reasons: [expect.stringContaining(POOLER)],
      })
      expect(await leftBehind(test.url, test.pool)).toEqual({
        // the follower of a separate log is the leader
        locks: logIsSeparate ? 1 : 0,
        sessions: [{ channels: 0, timeout: '0', readonly: 'off', prepared: 0 }],
      })
    }, 60_000)

    it('R10: transaction mode: calls that need their own session are refused, and named', async () => {
      const test = await openPooled({ mode: 'transaction' })
      const bus = test.pooled({
        handlers: { shop: { Buy: { transactional: true, rehearsable: true, handle: async () => null } } } as never,
      })
      await expect(bus.maintenance.rebuild()).rejects.toThrow(POOLER)
      if (logIsSeparate) return
      const commandId = await parked(test, 'shop', {}, { commandType: 'Buy' })
      const rehearsal = await bus.troubleshooting.rehearse('shop', commandId).catch(error => error.message)
      expect(JSON.stringify(rehearsal)).toContain(POOLER)
    })

    it('R10: transaction mode: a projection has one leader, and another one when its lock is lost', async () => {
      const test = await openPooled({ mode: 'transaction', poolSize: 8 })
      const [one, other] = [test.pooled(), test.pooled()]
      const following = new AbortController()
      const both = [one, other].map(bus => bus.runs.run(following.signal))
      const leaders = () =>
        test.pool
          .query(
            `select a.pid from pg_locks l join pg_stat_activity a on a.pid = l.pid
           where l.locktype = 'advisory' and a.datname = current_database() and a.application_name = 'commandbus leader'`,
          )
          .then(({ rows }) => rows.map(({ pid }) => pid as number))
      // with a separate log its follower is a leader, too
      const others = logIsSeparate ? 1 : 0
      const [first] = await until(leaders, pids => pids.length === 1 + others)
      await test.pool.query('select pg_terminate_backend($1)', [first])
      await until(leaders, pids => pids.length === 1 + others && !pids.includes(first ?? 0))
      following.abort()
      await Promise.all(both)
      await until(leaders, pids => pids.length === others)
    })

    it('R10: twenty migrators at once through transaction mode', async () => {
      const database = await createEmptyDatabase()
      cleanUps.push(() => database.drop())
      const pool = open(await through(database.url, { mode: 'transaction', poolSize: 5 }), 20)
      const client = await pool.connect()
      await ensurePgmq(client, { installSql: true })
      client.release()
      const applied = await Promise.all(Array.from({ length: 20 }, () => migrate(pool)))
      const versions = applied.flat().map(({ version }) => version)
      expect(new Set(versions).size).toBe(versions.length)
      expect(versions.length).toBeGreaterThan(5)
    })

    it('R10: statement mode is refused in one sentence', async () => {
      const test = await openPooled({ mode: 'statement' })
      await expect(test.pooled().ready()).rejects.toThrow(/pool_mode = statement.*session or transaction/)
    })

    it("R10: a start parameter of the user's pool that the pooler refuses is named", async () => {
      const test = await openPooled({ mode: 'session' })
      const pool = new pg.Pool({ connectionString: test.url, statement_timeout: 5_000 })
      onTestFinished(() => pool.end())
      await expect(test.pooled({ pool, databaseUrl: undefined } as never).ready()).rejects.toThrow(
        /refuses the start parameter statement_timeout.*ignore_startup_parameters/,
      )
    })

    describe('R10: the pooling mode is detected', () => {
      const modes = [
        [{ mode: 'session' }, 'session'],
        [{ mode: 'session', poolSize: 1 }, 'session'],
        [{ mode: 'transaction' }, 'transaction'],
        [{ mode: 'transaction', poolSize: 1 }, 'transaction'],
        [{ mode: 'transaction', poolSize: 2 }, 'transaction'],
      ] as const
      it.each(modes)('R10: %o', async (options, expected) => {
        const database = await createTestDatabase()
        cleanUps.push(() => database.drop())
        const pool = open(await through(database.url, options))
        expect(await poolingOf(pool)).toBe(expected)
        expect(knownPooling(poolLike(pool))).toBe(expected)
      })

      it('R10: nothing, with one statement', async () => {
        const database = await createTestDatabase()
        cleanUps.push(() => database.drop())
        const pool = open(database.url)
        expect(await poolingOf(pool)).toBe('none')
        expect(pool.totalCount).toBe(1)
      })

      it('R10: a setting in the connection string is trusted', () => {
        expect(knownPooling(open('postgres://u@localhost:1/d?pgbouncer=true'))).toBe('transaction')
      })

      it('R10: when the pooling mode changes later, a lost prepared statement is repeated without its name', async () => {
        const database = await createTestDatabase()
        cleanUps.push(() => database.drop())
        const pool = open(await through(database.url, { mode: 'transaction', poolSize: 3 }), 6)
        notePooling(pool, 'session')
        const ask = () => pool.query({ name: 'one', text: 'select 1 as n, pg_sleep(0.01)' })
        for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 6 }, ask))
        expect(knownPooling(pool)).toBe('transaction')
      })
    })
  },
)

it('R10: the sentence about a refused start parameter is an UnavailableError', () => {
  const refused = Object.assign(new Error('unsupported startup parameter: options'), { code: '08P01' })
  expect(toPublicError(refused)).toBeInstanceOf(UnavailableError)
})
