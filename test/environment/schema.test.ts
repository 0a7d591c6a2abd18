import { afterEach, expect, it } from 'vitest'
import { createCommandBus } from '../../src/index.ts'
import { schemaNames } from '../../src/infrastructure/postgres/connection/names.ts'
import { migrate } from '../../src/infrastructure/postgres/schema/migrate.ts'
import { ensurePgmq } from '../../src/infrastructure/postgres/schema/pgmq-install.ts'
import { createEmptyDatabase, createTestDatabase, type TestDatabase, usersPool } from '../support/database.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const kept = (database: TestDatabase): TestDatabase => {
  cleanUps.push(() => database.drop())
  return database
}

const emptyWithPgmq = async (): Promise<TestDatabase> => {
  const database = kept(await createEmptyDatabase())
  const client = await database.pool.connect()
  await ensurePgmq(client, { installSql: true })
  client.release()
  return database
}

it('R21: the tables may live in a schema of their own, and the bus finds them there', async () => {
  const database = await emptyWithPgmq()
  await migrate(database.pool, { schema: 'bus' })
  const { rows } = await database.pool.query<{ schema: string }>(
    `select distinct n.nspname::text as schema from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where starts_with(c.relname::text, 'command_bus_')`,
  )
  expect(rows).toEqual([{ schema: 'bus' }])
  const bus = createCommandBus({ databaseUrl: database.url })
  cleanUps.push(() => bus.close())
  await bus.worker({ domain: 'demo', pollMs: 20, handlers: { '*': () => 'done' } }).start()
  const { commandId } = await bus.send('demo', 'Greet', {})
  while ((await bus.getCommand('demo', commandId))?.status !== 'COMPLETED') await new Promise(r => setTimeout(r, 20))
  expect((await bus.maintenance.verifyLog()).findings).toEqual([])
  expect((await bus.maintenance.rebuild()).commands).toBe(1)
  expect(await migrate(database.pool)).toEqual([])
})

it('R14: a second installation in the same database is refused, by migrate and by a bus that finds two', async () => {
  const database = kept(await createTestDatabase())
  await expect(migrate(database.pool, { schema: 'other' })).rejects.toThrow(
    /has commandbus in the schema 'public' already.*same queues/,
  )
  await database.pool.query('create schema other; create table other.command_bus_migration (version int)')
  const bus = createCommandBus({ databaseUrl: database.url })
  cleanUps.push(() => bus.close())
  await expect(bus.send('demo', 'Greet', {})).rejects.toThrow(/in the schemas 'other' and 'public'.*drop one of them/)
})

it('R14: tables of other programs with the same names are recognised, and not changed', async () => {
  const database = await emptyWithPgmq()
  await database.pool.query('create table command_bus_command (id int)')
  await expect(migrate(database.pool)).rejects.toThrow(
    /'public' has a table 'command_bus_command' that commandbus did not make.*--schema/,
  )
  await migrate(database.pool, { schema: 'commandbus' })
  expect((await database.pool.query('select id from public.command_bus_command')).rows).toEqual([])
})

it('R21: an invalid schema name is refused in one sentence', async () => {
  const database = await emptyWithPgmq()
  await expect(migrate(database.pool, { schema: `b"; drop table x` })).rejects.toThrow(/cannot be a schema/)
})

it('R1: the list of names that get their schema has every table, view and function', async () => {
  const database = kept(await createTestDatabase())
  const { rows } = await database.pool.query<{ name: string }>(
    `select relname::text as name from pg_class where starts_with(relname::text, 'command_bus_') and relkind in ('r', 'v')
     union select proname::text from pg_proc where starts_with(proname::text, 'command_bus_') order by 1`,
  )
  const missing = rows.map(({ name }) => name).filter(name => !(schemaNames as readonly string[]).includes(name))
  expect(missing).toEqual([])
})

it('R4: another version of the package in the process may use the same names for other prepared statements', async () => {
  const database = kept(await createTestDatabase())
  const pool = usersPool({ connectionString: database.url, max: 1 })
  cleanUps.push(() => pool.end())
  await pool.query({ name: 'command_bus_commit', text: 'select 1' })
  const bus = createCommandBus({ pool })
  cleanUps.push(() => bus.close())
  await expect(bus.send('demo', 'Greet', {})).resolves.toMatchObject({ status: 'PENDING' })
})

it("R1: functions find the bus's tables from their own migration on, also if a later migration never ran", async () => {
  const database = await emptyWithPgmq()
  const onApply = ({ version }: { readonly version: number }): void => {
    if (version === 4) throw new Error('the process ended here')
  }
  await expect(migrate(database.pool, { onApply })).rejects.toThrow('the process ended here')
  const { rows } = await database.pool.query<{ pinned: boolean }>(
    `select coalesce(p.proconfig::text like '%search_path=%', false) as pinned
     from pg_proc p join pg_language l on l.oid = p.prolang
     where starts_with(p.proname::text, 'command_bus_') and l.lanname = 'plpgsql'`,
  )
  expect(rows.length).toBeGreaterThan(3)
  expect(rows.filter(({ pinned }) => !pinned)).toEqual([])
})
