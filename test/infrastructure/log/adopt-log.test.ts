import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  BusinessRuleError,
  type CommandBus,
  createCommandBus,
  DuplicateCommandError,
  type Handler,
  InvalidInputError,
  PermanentCommandError,
  TransientCommandError,
  UnavailableError,
} from '../../../src/index.ts'
import { adoptLog, planAdoption } from '../../../src/infrastructure/copy-log/adopt-log.ts'
import { storedCodec } from '../../../src/infrastructure/copy-log/stored.ts'
import { createPostgresLiveEvents } from '../../../src/infrastructure/live/postgres-live-events.ts'
import { loadCheckpoint, saveCheckpoint } from '../../../src/infrastructure/postgres/log/checkpoint.ts'
import { createPostgresEventFeed } from '../../../src/infrastructure/postgres/log/event-feed.ts'
import { readTableNames } from '../../../src/infrastructure/postgres/read-tables/read-tables.ts'
import { archiveOld } from '../../../src/infrastructure/proof/archive/archive.ts'
import { fingerprintOf, parseSigner, type Signer } from '../../../src/infrastructure/proof/chain/keys.ts'
import { type SealHead, sealEvents, sealHead } from '../../../src/infrastructure/proof/chain/seals.ts'
import { verifyLog } from '../../../src/infrastructure/proof/verification/verify.ts'
import { type TestBus, until } from '../../support/bus.ts'
import { createTestDatabase } from '../../support/database.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { createTestRuns, failedRun, jane, quickly, runsOf, type TestRuns } from '../../support/runs.ts'
import {
  dumpAndRestore,
  idsOf,
  type OtherDatabase,
  type OtherServer,
  startOtherServer,
  useUpTo,
} from '../../support/servers/other-server.ts'
import { settled } from '../../support/settled.ts'

const signer = parseSigner(randomBytes(32).toString('base64url')) as Signer
const trusted = [fingerprintOf(signer.key)]

let directory: string
let other: OtherServer
/** The log that was restored on the other server: a template for each test's database. */
let dump: string
let source: Source
const open: (() => Promise<void>)[] = []

interface Source {
  /** Every event's id and position, in the order of the feed, without archived events. */
  readonly feed: readonly Entry[]
  readonly tables: Readonly<Record<string, string>>
  readonly head: SealHead
  readonly run: string
  readonly parked: string
  readonly archived: string
  readonly balance: string
}
interface Entry {
  readonly id: string
  readonly position: string
}

const feedOf = async (pool: pg.Pool, after: string | null = null): Promise<readonly Entry[]> =>
  (await createPostgresEventFeed(pool, storedCodec).read(after, 10_000)).map(({ id, position }) => ({ id, position }))

const idsIn = (entries: readonly Entry[]): readonly string[] => entries.map(({ id }) => id)

/** Two transactions of which the one that began first writes last, so that positions fall in the order of the feed. */
const cross = async ({ bus, pool }: TestRuns): Promise<void> => {
  const client = await pool.connect()
  await client.query('begin')
  await client.query('select pg_current_xact_id()')
  await bus.send('later', 'Charge', {})
  await bus.send('later', 'Charge', {}, { client })
  await client.query('commit')
  client.release()
}

/** A log with every kind of event, on a server whose transaction ids are ahead of the other's. */
const makeSource = async (setup: TestRuns): Promise<Source> => {
  const { bus, pool, work } = setup
  const run = await failedRun(setup)
  const worker = await work({
    domain: 'payments',
    concurrency: 4,
    handlers: {
      Charge: () => ({ paid: true }),
      Refuse: () => {
        throw new BusinessRuleError('LIMIT', 'over the limit')
      },
      Park: () => {
        throw new PermanentCommandError('DECLINED', 'declined')
      },
      Wait: () => {
        throw new TransientCommandError('BUSY', 'busy')
      },
    },
  })
  const send = async (commandType: string) =>
    (await bus.send('payments', commandType, {}, { backoffSeconds: [3600] })).commandId
  const done: string[] = []
  for (let i = 0; i < 4; i++) done.push(await send('Charge'))
  const archived = done[0] as string
  const refused = await send('Refuse')
  const parked = await send('Park')
  const waiting = await send('Wait')
  await reach(bus, 'COMPLETED', ...done)
  await reach(bus, 'FAILED', refused)
  await reach(bus, 'IN_TROUBLESHOOTING_QUEUE', parked)
  await until(
    () => bus.getCommand('payments', waiting),
    command => (command?.totalAttempts ?? 0) > 0 && command?.status === 'PENDING',
  )
  await settled(pool)
  await sealEvents(pool, { signer, batch: 7 })
  await archiveOld({ pool, signer, directory, before: new Date(), by: 'jane', now: () => new Date() })
  await reach(bus, 'COMPLETED', ...(await Promise.all([send('Charge'), send('Charge')])))
  await worker.stop()
  for (let i = 0; i < 3; i++) await cross(setup)
  const { commandId } = await bus.send('later', 'Charge', {})
  await bus.cancel('later', commandId)
  await settled(pool)
  await sealEvents(pool, { signer, batch: 5 })
  await cross(setup)
  await settled(pool)
  const feed = await feedOf(pool)
  const client = await pool.connect()
  for (const [n, { position }] of feed.entries()) await saveCheckpoint(client, `reader ${n}`, position)
  await saveCheckpoint(client, 'beginner', '0/0')
  client.release()
  return {
    feed,
    tables: await fingerprint(pool),
    head: await sealHead(pool),
    run,
    parked,
    archived,
    balance: await setup.balance(),
  }
}

const reach = async (bus: CommandBus, status: string, ...ids: readonly string[]): Promise<void> => {
  for (const id of ids)
    await until(
      () => bus.getCommand('payments', id),
      command => command?.status === status,
    )
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'commandbus-adopt-'))
  other = await startOtherServer()
  const setup = await createTestRuns()
  const first = await other.database()
  await useUpTo(setup.pool, (await idsOf(first.pool)) + 5_000)
  source = await makeSource(setup)
  await dumpAndRestore(setup.pool, first.pool)
  expect(await fingerprint(first.pool)).toEqual(source.tables)
  await first.pool.end()
  dump = first.name
})
afterAll(async () => {
  await other?.stop()
  await rm(directory, { recursive: true, force: true })
})
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const restored = (): Promise<OtherDatabase> => other.database(dump)

const busOn = (url: string): Pick<TestBus, 'bus' | 'work'> => {
  const bus = createCommandBus({ databaseUrl: url, workflows: quickly })
  open.push(() => bus.close())
  return {
    bus,
    work: async options => {
      const worker = bus.worker({ pollMs: 50, ...options })
      open.push(() => worker.stop({ deadlineMs: 0 }))
      await worker.start()
      return worker
    },
  }
}

const rowsIn = async (pool: pg.Pool) => {
  const all = await fingerprint(pool)
  return readTableNames.map(name => [name, all[`public.${name}`]])
}

/** Everything except the positions in the log. */
const otherThanPlaces = (tables: Readonly<Record<string, string>>) =>
  Object.entries(tables).filter(([name]) => !/_event$|_seal$|_checkpoint$/.test(name))

/** Open work is done once, done work is not repeated, and paid runs go on. */
const goesOn = async (database: Pick<OtherDatabase, 'url' | 'pool'>): Promise<void> => {
  const { pool, url } = database
  const { bus, work } = busOn(url)
  const handled: string[] = []
  const note: Handler = (_, { command: { commandId } }) => {
    handled.push(commandId)
    return null
  }
  const { rows } = await pool.query(
    `select command_id as id from command_bus_command where domain = 'later' and status = 'PENDING'`,
  )
  const owed = rows.map(({ id }) => id as string)
  for (const domain of ['later', 'payments']) await work({ domain, handlers: { '*': note } })
  await bus.troubleshooting.retry('payments', source.parked, { operator: 'jane' })
  const { commandId } = await bus.send('payments', 'Charge', {})
  await reach(bus, 'COMPLETED', commandId, source.parked)
  await until(
    () => bus.queryCommands({ domain: 'later', status: 'PENDING' }),
    ({ items }) => items.length === 0,
  )
  expect(handled.toSorted()).toEqual([...owed, source.parked, commandId].toSorted())
  await expect(bus.send('payments', 'Charge', {}, { commandId: source.archived })).rejects.toThrow(
    DuplicateCommandError,
  )

  const runs = runsOf({ bus, work })
  expect(await runs.balance()).toBe(source.balance)
  await bus.runs.retryFailed(jane, source.run)
  const { stop } = await runs.atWork()
  expect(await runs.ended(source.run, 2)).toMatchObject({ status: 'COMPLETED_WITH_ERRORS', failedJobs: 2 })
  await stop()
  await bus.close()
}

const isWhole = async (pool: pg.Pool): Promise<void> => {
  await settled(pool)
  await sealEvents(pool, { signer })
  const verified = await verifyLog(pool, { trusted, known: [source.head] })
  expect(verified).toMatchObject({ findings: [], unsealed: 0 })
}

describe('a log that was restored in another server', () => {
  test("is refused if the server's transaction ids are behind it, then adopted: proof, rows and order stay, and work goes on", async () => {
    const database = await restored()
    const { pool, url } = database
    const { bus: refused } = busOn(url)
    const named = expect.objectContaining({ message: expect.stringMatching(/another server.*`commandbus adopt-log`/) })
    await expect(refused.ready()).rejects.toEqual(named)
    await expect(refused.send('payments', 'Charge', {})).rejects.toBeInstanceOf(UnavailableError)
    await refused.close()

    const plan = await planAdoption({ databaseUrl: url })
    expect(await fingerprint(pool)).toEqual(source.tables)
    const adopted = await adoptLog({ databaseUrl: url, signer, by: 'jane' })
    expect(adopted).toEqual(plan)
    expect(adopted).toMatchObject({
      events: source.feed.length,
      checkpoints: source.feed.length + 1,
      usedUp: 0,
      to: { first: '1' },
    })
    // as few ids as the order needs: one for each fall of positions
    expect(Number(adopted.to.last)).toBeGreaterThan(4)
    expect(Number(adopted.to.last)).toBeLessThan(20)

    const feed = await feedOf(pool)
    expect(idsIn(feed)).toEqual(idsIn(source.feed))
    const client = await pool.connect()
    for (const [n, { position }] of feed.entries()) expect(await loadCheckpoint(client, `reader ${n}`)).toBe(position)
    expect(await loadCheckpoint(client, 'beginner')).toBe('0/0')
    client.release()
    expect(idsIn(await feedOf(pool, await loadCheckpoint(pool, 'reader 9')))).toEqual(idsIn(source.feed).slice(10))
    expect(otherThanPlaces(await fingerprint(pool))).toEqual(otherThanPlaces(source.tables))
    const { rows: seals } = await pool.query('select about from command_bus_seal order by number desc limit 1')
    expect(seals[0].about).toEqual({ adopted: { events: source.feed.length, ...plan.from, by: 'jane' } })
    await isWhole(pool)
    await expect(pool.query(`update command_bus_event set xid = '9'`)).rejects.toThrow(/append-only/)
    await expect(pool.query(`update command_bus_seal set xid = '9'`)).rejects.toThrow(/append-only/)
    await expect(pool.query(`delete from command_bus_archived_event`)).rejects.toThrow(/append-only/)

    const rows = await rowsIn(pool)
    const { bus } = busOn(url)
    await bus.maintenance.rebuild()
    expect(await rowsIn(pool)).toEqual(rows)
    await bus.close()
    await goesOn(database)
    await isWhole(pool)
    expect(idsIn(await feedOf(pool)).slice(0, feed.length)).toEqual(idsIn(feed))
  })

  test("needs no adoption if the server's transaction ids are ahead of it: work goes on", async () => {
    const database = await createTestDatabase()
    open.push(() => database.drop())
    const from = await restored()
    await adoptLog({ databaseUrl: from.url, signer, by: 'jane' })
    await dumpAndRestore(from.pool, database.pool)
    const tables = await fingerprint(database.pool)
    await expect(adoptLog({ databaseUrl: database.url, signer, by: 'jane' })).rejects.toMatchObject({
      code: 'LOG_AT_HOME',
      message: expect.stringMatching(/at home already.*nothing was changed/),
    })
    expect(await fingerprint(database.pool)).toEqual(tables)
    await goesOn(database)
    await isWhole(database.pool)
  })

  test('does not change when the bus uses it, a writer locks it, the caller does not own it, or the work is killed', async () => {
    const { pool, url } = await restored()
    const adopt = () => adoptLog({ databaseUrl: url, signer, by: 'jane' })
    const { bus } = busOn(url)
    await bus.ready().catch(() => {})
    await expect(adopt()).rejects.toMatchObject({ code: 'BUSY', message: expect.stringMatching(/stop every service/) })
    await bus.close()

    const holder = await pool.connect()
    await holder.query('begin')
    await holder.query('select pg_advisory_xact_lock_shared(command_bus_lock())')
    await expect(adopt()).rejects.toMatchObject({
      code: 'BUSY',
      message: expect.stringMatching(/another session locks the log/),
    })
    await holder.query('rollback')

    const clerk = new URL(url)
    clerk.username = `clerk_${randomBytes(4).toString('hex')}`
    clerk.password = randomBytes(8).toString('hex')
    await pool.query(`create role ${clerk.username} login password '${clerk.password}'`)
    await pool.query(`grant select, update on all tables in schema public to ${clerk.username}`)
    await expect(adoptLog({ databaseUrl: clerk.href, signer, by: 'jane' })).rejects.toMatchObject({ code: 'NOT_OWNER' })

    // a checkpoint is the last thing that is rewritten
    await holder.query('begin')
    await holder.query(`select from command_bus_checkpoint where projection = 'reader 0' for update`)
    const killed = adopt().catch(error => error)
    const worker = `select pid from pg_stat_activity where application_name = 'commandbus adopt-log' and datname = current_database()`
    await until(
      () => pool.query(`${worker} and wait_event_type = 'Lock' and query like '%command_bus_checkpoint c set%'`),
      ({ rowCount }) => rowCount === 1,
    )
    await pool.query(`select pg_terminate_backend(pid) from (${worker}) x`)
    expect(await killed).toBeInstanceOf(Error)
    await holder.query('rollback')
    holder.release()
    await until(
      () => pool.query(worker),
      ({ rowCount }) => rowCount === 0,
    )
    expect(await fingerprint(pool)).toEqual(source.tables)
    await expect(pool.query(`update command_bus_event set xid = '9'`)).rejects.toThrow(/append-only/)
    await adopt()
    await expect(adopt()).rejects.toMatchObject({ code: 'LOG_AT_HOME' })
    await isWhole(pool)
  })

  test('makes the server use up transaction ids when its order needs more of them than were assigned', async () => {
    const { pool, url } = await other.database()
    const falls = (await idsOf(pool)) + 500
    // each transaction wrote a lower position than the one before
    await pool.query(
      `insert into command_bus_event (position, xid, stream, revision, id, type, data, meta, hash) overriding system value
       select $1::int - n, (1000000000 + n * 3)::text::xid8, 'command-a-' || n, 0, gen_random_uuid(), 'Other', '{}', '{}', ''
       from generate_series(0, $1::int - 1) n`,
      [falls],
    )
    const order = `select string_agg(id::text, ',' order by xid, position) as ids from command_bus_event`
    const before = await pool.query(order)
    const phases = new Map<string, number>()
    const adopted = await adoptLog({
      databaseUrl: url,
      signer: null,
      by: 'jane',
      onProgress: ({ phase, done }) => phases.set(phase, done),
    })
    expect(adopted.to).toEqual({ first: '1', last: String(falls) })
    expect(adopted.usedUp).toBeGreaterThan(0)
    expect([...phases]).toEqual([
      ['using up', adopted.usedUp],
      ['rewriting', falls],
    ])
    expect((await pool.query(order)).rows).toEqual(before.rows)
    const readable = await pool.query(
      'select count(*)::int as n from command_bus_event where xid < pg_snapshot_xmin(pg_current_snapshot())',
    )
    expect(readable.rows).toEqual([{ n: falls }])
  })

  test('keeps its order, and what each checkpoint has left to read, however its transactions overlap', async () => {
    const { pool, url } = await other.database()
    // some 400 transactions of some five events each, written in any order; checkpoints on events and between them
    await pool.query(
      `with place as (
         select (1000000000 + floor(random() * 400))::bigint as xid, row_number() over (order by random()) as position, n
         from (select setseed(0.5)) s cross join generate_series(1, 2000) n)
       insert into command_bus_event (position, xid, stream, revision, id, type, data, meta, hash) overriding system value
       select position, xid::text::xid8, 'command-a-' || n, 0, gen_random_uuid(), 'Other', '{}', '{}', '' from place`,
    )
    await pool.query(
      `insert into command_bus_checkpoint (projection, position)
       select 'reader ' || n, (999999999 + floor(random() * 402))::bigint || '/' || (n * 20) from generate_series(1, 100) n`,
    )
    const seen = async () => {
      const { rows } = await pool.query(
        `select (select string_agg(position::text, ',' order by e.xid, e.position) from command_bus_event e) as feed,
           (select json_object_agg(c.projection, (
              select count(*) from command_bus_event e
              where (e.xid, e.position) > (split_part(c.position, '/', 1)::xid8, split_part(c.position, '/', 2)::bigint)))
            from command_bus_checkpoint c) as left`,
      )
      return rows[0]
    }
    const before = await seen()
    expect(new Set(Object.values(before.left)).size).toBeGreaterThan(50)
    const adopted = await adoptLog({ databaseUrl: url, signer: null, by: 'jane' })
    expect(await seen()).toEqual(before)
    // one id would be enough while positions, also those of checkpoints, rise
    const { rows: places } = await pool.query(
      `select xid, position from (
         select xid, position from command_bus_event
         union all select split_part(c.position, '/', 1)::xid8, split_part(c.position, '/', 2)::bigint from command_bus_checkpoint c) p
       order by xid, position`,
    )
    const falls = places.filter(
      ({ xid, position }, n) =>
        n > 0 && places[n - 1].xid !== xid && Number(places[n - 1].position) >= Number(position),
    )
    expect(adopted.to.last).toBe(String(falls.length + 1))
  })

  test('is refused when all its events are in archive files', async () => {
    const { pool, url } = await other.database()
    // the checkpoint of a mirror is a position in EventStoreDB
    await pool.query(
      `insert into command_bus_checkpoint (projection, position) values ('workflow-runs', '4000000000/7'), ('commands', '9000000000/8')`,
    )
    const { bus } = busOn(url)
    await expect(bus.ready()).rejects.toThrow(/adopt-log/)
    await bus.close()
    await adoptLog({ databaseUrl: url, signer: null, by: 'jane' })
    expect(await loadCheckpoint(pool, 'workflow-runs')).toBe('1/7')
    expect(await loadCheckpoint(pool, 'commands')).toBe('9000000000/8')
    await pool.query(`delete from command_bus_checkpoint where projection = 'commands'`)
    await busOn(url).bus.ready()
  })

  test("refuses a live reader's position from before the restore with a reason, and accepts one of its own", async () => {
    const { pool, url } = await restored()
    await adoptLog({ databaseUrl: url, signer: null, by: 'jane' })
    const live = createPostgresLiveEvents(pool)
    open.push(live.stop)
    const from = async (after: string) => {
      const subscription = await live.subscribe({ after })
      subscription.close()
      return subscription.reached()
    }
    const own = (await feedOf(pool)).map(({ position }) => position)
    const old = source.feed.map(({ position }) => position)
    await expect(from(old[3] as string)).rejects.toThrow(/past the end of this log/)
    // once this server has assigned as many ids, the position would look like one of its own
    await useUpTo(pool, Number(old.at(-1)?.split('/')[0]) + 100)
    await busOn(url).bus.send('payments', 'Charge', {})
    await settled(pool)
    for (const position of [old[3], old.at(-1)] as string[]) {
      await expect(from(position)).rejects.toThrow(InvalidInputError)
      await expect(from(position)).rejects.toThrow(/no event of this log.*0\/0/)
    }
    expect(await from(own[3] as string)).toBe(own[3])
    expect(await from('0/0')).toBe('0/0')
  })
})
