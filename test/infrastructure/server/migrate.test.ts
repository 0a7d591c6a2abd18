import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildIndex } from '../../../src/infrastructure/postgres/schema/build-index.ts'
import { knownMigrations } from '../../../src/infrastructure/postgres/schema/known-migrations.ts'
import { migrate } from '../../../src/infrastructure/postgres/schema/migrate.ts'
import { migrationsDirectory, readMigrations } from '../../../src/infrastructure/postgres/schema/migration-files.ts'
import {
  assertSchemaCurrent,
  MigrationError,
  SchemaVersionError,
  schemaStatus,
} from '../../../src/infrastructure/postgres/schema/schema-version.ts'
import { until } from '../../support/bus.ts'
import { createEmptyDatabase, createTestDatabase, OF_THIS_DATABASE, type TestDatabase } from '../../support/database.ts'

let db: TestDatabase
let directory: string

beforeEach(async () => {
  db = await createEmptyDatabase()
  directory = await mkdtemp(join(tmpdir(), 'commandbus-migrations-'))
  await file('0001_first.sql', 'create table first (n int); insert into first values (1);')
  await file('0002_second.sql', 'alter table first add column m int;')
})
afterEach(async () => {
  await db.drop()
  await rm(directory, { recursive: true })
})

const file = (name: string, sql: string) => writeFile(join(directory, name), sql)
const known = () => readMigrations(directory)
const versions = (list: readonly { version: number }[]) => list.map(({ version }) => version)
const tables = async () =>
  (await db.pool.query(`select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`))
    .rows

describe('an empty database', () => {
  it('gets all migrations in order, once', async () => {
    const seen: number[] = []
    const applied = await migrate(db.pool, { directory, onApply: ({ version }) => seen.push(version) })
    expect(versions(applied)).toEqual([1, 2])
    expect(seen).toEqual([1, 2])
    expect(await migrate(db.pool, { directory })).toEqual([])
    const { rows } = await db.pool.query('select version, name, applied_at from command_bus_migration order by version')
    expect(rows).toMatchObject([
      { version: 1, name: 'first', applied_at: expect.any(Date) },
      { version: 2, name: 'second' },
    ])
  })

  it('is migrated once by twenty migrators at once', async () => {
    const pools = Array.from({ length: 20 }, () => new pg.Pool({ connectionString: db.url, max: 1 }))
    const results = await Promise.all(pools.map(pool => migrate(pool, { directory })))
    await Promise.all(pools.map(pool => pool.end()))
    // each file once, whichever migrator applied it
    expect(results.flatMap(versions).sort()).toEqual([1, 2])
    expect((await db.pool.query('select n, m from first')).rows).toEqual([{ n: 1, m: null }])
  })

  it('reports all migrations as pending, is refused, and stays empty', async () => {
    expect(await schemaStatus(db.pool, await known())).toMatchObject({ current: 0, latest: 2, pending: [{}, {}] })
    await expect(assertSchemaCurrent(db.pool, await known())).rejects.toThrow(
      /no commandbus schema.*commandbus migrate/,
    )
    expect(await tables()).toEqual([])
  })

  it('is migrated to the requested version, also over one connection', async () => {
    const client = await db.pool.connect()
    expect(versions(await migrate(client, { directory, target: 1 }))).toEqual([1])
    await expect(migrate(client, { directory, target: 3 })).rejects.toThrow(
      /no schema version 3: choose one from 0 to 2/,
    )
    await expect(assertSchemaCurrent(client, await known())).rejects.toThrow(/version 1, this commandbus needs 2: run/)
    expect(versions(await migrate(client, { directory }))).toEqual([2])
    await assertSchemaCurrent(client, await known())
    client.release()
  })

  it('keeps the earlier migrations and nothing of one that fails, and names its line', async () => {
    await file('0003_third.sql', 'create table third ();\ninsert into missing values (1);\n')
    const failed = migrate(db.pool, { directory })
    await expect(failed).rejects.toThrow(/Migration 3 \(third\) failed in line 2.*"missing" does not exist/)
    expect((await schemaStatus(db.pool, await known())).current).toBe(2)
    expect(await tables()).not.toContainEqual({ relname: 'third' })
    await file('0003_third.sql', 'create table third ();')
    expect(versions(await migrate(db.pool, { directory }))).toEqual([3])
  })

  it('refuses files that are misnamed or miscounted', async () => {
    await file('3_third.sql', '')
    await expect(migrate(db.pool, { directory })).rejects.toThrow(/not named like 0001_some_name.sql/)
    await unlink(join(directory, '3_third.sql'))
    await file('0004_fourth.sql', '')
    await expect(migrate(db.pool, { directory })).rejects.toThrow(/found 4 in place of 3/)
    expect(await tables()).toEqual([])
  })

  it('says that a read-only database cannot be migrated', async () => {
    const client = new pg.Client({ connectionString: db.url, options: '-c default_transaction_read_only=on' })
    await client.connect()
    await expect(migrate(client, { directory })).rejects.toThrow(/read-only/)
    await client.end()
  })
})

describe('a migrated database', () => {
  beforeEach(async () => {
    await migrate(db.pool, { directory })
  })

  it('K7: works with code that knows fewer versions, as both run during an upgrade', async () => {
    await unlink(join(directory, '0002_second.sql'))
    expect(await migrate(db.pool, { directory })).toEqual([])
    await assertSchemaCurrent(db.pool, await known())
    expect(await schemaStatus(db.pool, await known())).toEqual({ current: 2, latest: 1, pending: [] })
  })

  it('K7: is refused by code that knows fewer versions than a migration needs', async () => {
    await file('0003_third.sql', '-- needs: 2\nalter table first drop column n;')
    await migrate(db.pool, { directory })
    await assertSchemaCurrent(db.pool, (await known()).slice(0, 2))
    await unlink(join(directory, '0003_third.sql'))
    await unlink(join(directory, '0002_second.sql'))
    const attempts = [() => migrate(db.pool, { directory }), async () => assertSchemaCurrent(db.pool, await known())]
    for (const attempt of attempts) {
      const refused = attempt()
      await expect(refused).rejects.toBeInstanceOf(SchemaVersionError)
      await expect(refused).rejects.toThrow(
        'The database schema is at version 3, this commandbus knows up to 1: upgrade commandbus.',
      )
    }
  })

  it('is refused when an applied file was changed, until it is restored', async () => {
    await file('0001_first.sql', 'create table first (n bigint);')
    const refused = migrate(db.pool, { directory })
    await expect(refused).rejects.toBeInstanceOf(MigrationError)
    await expect(refused).rejects.toThrow(/Migration 1 \(first\) was changed after it was applied/)
    await file('0001_first.sql', 'create table first (n int); insert into first values (1);')
    await file('0002_second.sql', 'alter table first add column m int;')
    expect(await migrate(db.pool, { directory })).toEqual([])
  })

  it('releases its lock, so that another connection can migrate at once', async () => {
    await file('0003_third.sql', 'create table third ();')
    const other = new pg.Client(db.url)
    await other.connect()
    expect(versions(await migrate(other, { directory }))).toEqual([3])
    await other.end()
  })
})

it('K7: a migration that waits for a table lets others use it meanwhile', async () => {
  await migrate(db.pool, { directory })
  await file('0003_third.sql', 'alter table first add column k int;')
  const [dump, other] = [{}, { statement_timeout: 10_000 }].map(
    more => new pg.Client({ connectionString: db.url, ...more }),
  ) as [pg.Client, pg.Client]
  await Promise.all([dump.connect(), other.connect()])
  await dump.query('begin; select from first')
  const seen: number[] = []
  const migrating = migrate(db.pool, { directory, onApply: ({ version }) => seen.push(version) })
  await until(
    () =>
      db.pool.query(`select from pg_locks where ${OF_THIS_DATABASE} and relation = 'first'::regclass and not granted`),
    ({ rowCount }) => rowCount === 1,
  )
  await other.query('insert into first values (2)')
  await Promise.all([dump.end(), other.end()])
  expect(versions(await migrating)).toEqual([3])
  expect(seen).toEqual([3])
})

describe('an index of a large table', () => {
  const isValid = async () =>
    (await db.pool.query(`select indisvalid as valid from pg_index where indexrelid = to_regclass('large_text')`)).rows

  beforeEach(async () => {
    await file(
      '0003_large.sql',
      `create table large as select repeat('x', 1000) as text, n from generate_series(1, 20000) n`,
    )
    await migrate(db.pool, { directory })
    await file('0004_index.sql', '-- builds: large_text on large (text, n)\nalter table first add column k int;')
  })

  it('K7: is built while others write, by two migrators at once', async () => {
    const writer = new pg.Client(db.url)
    await writer.connect()
    await writer.query('begin')
    await writer.query(`insert into large values ('open', 1)`)
    const migrating = [1, 2].map(() => migrate(db.pool, { directory }))
    await until(
      () => db.pool.query('select from pg_stat_progress_create_index where datname = current_database()'),
      ({ rowCount }) => rowCount === 1,
    )
    await db.pool.query(`insert into large values ('meanwhile', 2)`)
    expect(await isValid()).toEqual([{ valid: false }])
    await writer.query('commit')
    await writer.end()
    expect((await Promise.all(migrating)).flatMap(versions)).toEqual([4])
    expect(await isValid()).toEqual([{ valid: true }])
  })

  it('K7: is built by one of two migrators that waited for the table at the same time', async () => {
    const vacuum = new pg.Client(db.url)
    await vacuum.connect()
    await vacuum.query('begin; lock table large in share update exclusive mode')
    const migrating = [1, 2].map(() => migrate(db.pool, { directory }))
    await until(
      () =>
        db.pool.query(
          `select from pg_locks where ${OF_THIS_DATABASE} and relation = 'large'::regclass and not granted`,
        ),
      ({ rowCount }) => rowCount === 2,
    )
    await vacuum.end()
    expect((await Promise.all(migrating)).flatMap(versions)).toEqual([4])
    expect(await isValid()).toEqual([{ valid: true }])
  })

  it('K7: is waited for by a migrator that does not see what other roles build', async () => {
    const role = `builder_${randomUUID().slice(0, 8)}`
    await db.pool.query(
      `create role ${role}; grant create on schema public to ${role}; alter table large owner to ${role}`,
    )
    const writer = new pg.Client(db.url)
    await writer.connect()
    await writer.query(`begin; insert into large values ('open', 1)`)
    const index = 'large_text on large (text, n)'
    const [first, second] = await Promise.all([db.pool.connect(), db.pool.connect()])
    const building = [buildIndex(first, 'public', index)]
    const oid = () => db.pool.query(`select to_regclass('large_text')::oid as oid`)
    const before = await until(oid, ({ rows }) => rows[0].oid !== null)
    await second.query(`set role ${role}`)
    building.push(buildIndex(second, 'public', index))
    await until(
      () =>
        db.pool.query(
          `select from pg_stat_activity where datname = current_database() and query ~ '^(select i.indisvalid|drop index)'`,
        ),
      ({ rowCount }) => rowCount === 1,
    )
    await writer.end()
    await Promise.all(building)
    expect((await oid()).rows).toEqual(before.rows)
    first.release(true)
    second.release(true)
    await db.pool.query(`drop owned by ${role} cascade; drop role ${role}`)
  })

  it('K7: takes no lock afterwards that makes a deadlock with who has read and then writes', async () => {
    await file('0004_index.sql', '-- builds: large_text on large (text, n)\nalter table large add column k int;')
    const handler = new pg.Client(db.url)
    await handler.connect()
    await handler.query('begin; select from large limit 1')
    const migrating = migrate(db.pool, { directory })
    await until(
      () =>
        db.pool.query(
          `select from pg_locks where ${OF_THIS_DATABASE} and mode = 'AccessExclusiveLock' and not granted`,
        ),
      ({ rowCount }) => rowCount === 1,
    )
    await handler.query(`insert into large values ('late', 3); commit`)
    await handler.end()
    expect(versions(await migrating)).toEqual([4])
    expect(await isValid()).toEqual([{ valid: true }])
  })

  it('K7: is built again when building it was interrupted, and the error says that something is left', async () => {
    const writer = new pg.Client(db.url)
    await writer.connect()
    await writer.query(`begin; insert into large values ('open', 1)`)
    const interrupted = migrate(db.pool, { directory }).catch(error => error)
    await until(
      () =>
        db.pool.query(
          `select pg_cancel_backend(pid) from pg_stat_progress_create_index where datname = current_database() and index_relid <> 0`,
        ),
      ({ rowCount }) => rowCount === 1,
    )
    const { message } = await interrupted
    await writer.end()
    expect(message).toMatch(/^Migration 4 \(index\) could not build its index: .* user request; migrate again/)
    expect(await isValid()).toEqual([{ valid: false }])
    expect(versions(await migrate(db.pool, { directory }))).toEqual([4])
    expect(await isValid()).toEqual([{ valid: true }])
  })
})

describe('the migrations of this package', () => {
  it('R9: are known to the library without their files (after a change: npm run generate:migrations)', async () => {
    const files = await readMigrations(migrationsDirectory())
    expect(knownMigrations).toEqual(files.map(({ sql: _, needs: __, builds: ___, ...known }) => known))
  })

  it('are applied in the databases that tests get', async () => {
    const copy = await createTestDatabase()
    await assertSchemaCurrent(copy.pool)
    await copy.drop()
  })
})
