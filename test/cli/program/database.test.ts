import { afterEach, describe, expect, test } from 'vitest'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const open: TestDatabase[] = []
afterEach(async () => {
  for (const database of open.splice(0)) await database.drop()
})

const on = (database: TestDatabase) => {
  open.push(database)
  return { env: { DATABASE_URL: database.url } }
}
const everyOther = [
  ['send', 'd', 'T', '--data', '1'],
  ['list'],
  ['tsq', 'list'],
  ['worker', '--demo'],
  ['start', '--port', '0'],
]

describe('a database without a schema', () => {
  test('is refused with what to do, and not changed', async () => {
    const database = await createEmptyDatabase()
    const where = on(database)
    for (const args of everyOther) {
      const answer = await program.run(args, where)
      expect([args, answer.code]).toEqual([args, 1])
      expect(answer.stderr).toContain('The database has no commandbus schema yet: run `commandbus migrate`.')
    }
    const { rows } = await database.pool.query(
      `select count(*)::int as tables from pg_tables where schemaname = 'public'`,
    )
    expect(rows).toEqual([{ tables: 0 }])
  })

  test('is brought up to date by migrate, once', async () => {
    const where = on(await createEmptyDatabase())
    const first = (await program.run(['migrate', '--install-pgmq', '--json'], where)).json()
    expect(first).toMatchObject({ schemaVersion: first.applied.length, pgmq: { version: expect.any(String) } })
    const again = await program.run(['migrate'], where)
    expect(again).toMatchObject({ code: 0, stderr: '' })
    expect(again.stdout).toMatch(/^The schema is at version \d+; pgmq .* is installed/)
    expect(await program.run(['list'], where)).toMatchObject({ code: 0, stdout: 'No commands.\n' })
  })

  test('R21: gets its tables in a separate schema when one is named, and works there', async () => {
    const database = await createEmptyDatabase()
    const where = on(database)
    const answer = await program.run(['migrate', '--install-pgmq', '--schema', 'bus'], where)
    expect(answer).toMatchObject({ code: 0, stderr: '' })
    expect((await database.pool.query('select count(*)::int as n from bus.command_bus_event')).rows).toEqual([{ n: 0 }])
    expect(await program.run(['list'], where)).toMatchObject({ code: 0, stdout: 'No commands.\n' })
  })
})

describe('a database without the pgmq extension', () => {
  const noExtension = async (): Promise<TestDatabase> => {
    const database = await createEmptyDatabase()
    await database.pool.query(`create function no_extension() returns event_trigger language plpgsql as
      $$ begin raise insufficient_privilege using message = 'permission denied to create extension'; end $$`)
    await database.pool.query(`create event trigger no_extension on ddl_command_start when tag in ('CREATE EXTENSION')
      execute function no_extension()`)
    return database
  }

  test('says what to install; with --install-pgmq it comes from npm', async () => {
    const where = on(await noExtension())
    const refused = await program.run(['migrate', '--json'], where)
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.json().error).toMatchObject({
      code: 'PGMQ_MISSING',
      message: expect.stringMatching(/no pgmq .*install the pgmq extension.*commandbus migrate --install-pgmq/),
    })
    expect((await program.run(['migrate', '--install-pgmq'], where)).stdout).toMatch(/is installed \(sql\)/)
    expect(await program.run(['send', 'd', 'T', '--data', '1', '--json'], where)).toMatchObject({ code: 0, stderr: '' })
  })

  test('is refused when pgmq was removed later', async () => {
    const database = await createTestDatabase()
    await database.pool.query('drop extension if exists pgmq cascade')
    await database.pool.query('drop schema if exists pgmq cascade')
    const answer = await program.run(['send', 'd', 'T', '--data', '1'], on(database))
    expect(answer).toMatchObject({ code: 1, stdout: '' })
    expect(answer.stderr).toMatch(/pgmq: run `commandbus migrate`/)
  })
})

describe('a database of a newer commandbus', () => {
  test('K7: is refused by every command, also by migrate, when a migration needs newer code', async () => {
    const database = await createTestDatabase()
    await database.pool.query(
      `insert into command_bus_migration (version, name, checksum, needs) values (999, 'later', 'x', 999)`,
    )
    const where = on(database)
    for (const args of [...everyOther, ['migrate']]) {
      const answer = await program.run(args, where)
      expect([args, answer.code]).toEqual([args, 1])
      expect(answer.stderr).toMatch(/The database schema is at version 999, this commandbus knows up to \d+: upgrade/)
    }
    const doctor = await program.run(['doctor', '--json'], where)
    expect(doctor.code).toBe(1)
    expect(doctor.json()).toMatchObject({ schemaVersion: 999, health: { status: 'critical' } })
  })
})

describe('a database that is read-only', () => {
  test('is refused, with what to use instead', async () => {
    const database = await createTestDatabase()
    const name = new URL(database.url).pathname.slice(1)
    await database.pool.query(`alter database ${name} set default_transaction_read_only = on`)
    const answer = await program.run(['send', 'd', 'T', '--data', '1'], on(database))
    expect(answer).toMatchObject({ code: 1, stdout: '' })
    expect(answer.stderr).toMatch(/read-only/)
  })
})

describe('a database that cannot be reached', () => {
  const env = { DATABASE_URL: 'postgres://jane:topsecret@127.0.0.1:1/none' }

  test.each(everyOther.map(args => [args]))('%j says so, without the password', async args => {
    const answer = await program.run([...args, '--json'], { env })
    expect(answer).toMatchObject({ code: 1, stdout: '' })
    const error = JSON.parse(answer.stderr.slice(answer.stderr.indexOf('{\n'))).error
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(/cannot be reached/) })
    expect(answer.stderr).not.toContain('topsecret')
  })

  test('is found by doctor', async () => {
    const answer = await program.run(['doctor', '--json'], { env })
    expect(answer).toMatchObject({ code: 1, stderr: '' })
    expect(answer.json()).toMatchObject({
      databaseUrl: 'postgres://jane:***@127.0.0.1:1/none',
      pgmqVersion: null,
      schemaVersion: null,
      health: { status: 'critical', reasons: [expect.stringMatching(/cannot be reached/)] },
    })
  })
})

test('doctor finds nothing wrong with a good database, and its JSON has exactly the keys that scripts rely on', async () => {
  const answer = await program.run(['doctor', '--json'], on(await createTestDatabase()))
  expect(answer).toMatchObject({ code: 0, stderr: '' })
  const keys = ['databaseUrl', 'eventStore', 'health', 'home', 'pgmqVersion', 'schemaVersion']
  expect(Object.keys(answer.json()).sort()).toEqual(keys)
  expect(answer.json()).toMatchObject({ eventStore: 'postgresql', health: { status: 'healthy', reasons: [] } })
})

test('a wrong environment is refused', async () => {
  const esdb = await program.run(['list', '--json'], { env: { EVENTSTORE_URL: 'esdb://u:topsecret@' } })
  expect(esdb.code).toBe(2)
  expect(esdb.json().error).toMatchObject({
    code: 'INVALID_CONFIGURATION',
    message: expect.stringMatching(/^EVENTSTORE_URL/),
  })
})

test('adopt-log makes a log of another server usable, shows first what it would do, and refuses a log of this server', async () => {
  const database = await createTestDatabase()
  const where = on(database)
  expect((await program.run(['send', 'shop', 'Charge', '--data', '{}'], where)).code).toBe(0)
  // as pg_restore brings it: the rows were copied with the ids of a server that is ahead
  await database.pool.query(
    `set session_replication_role = replica; update command_bus_event set xid = '7000000000'; reset session_replication_role`,
  )
  const refused = await program.run(['list', '--json'], where)
  expect(refused.code).toBe(1)
  expect(refused.json().error).toMatchObject({ message: expect.stringContaining('run `commandbus adopt-log`') })
  const rewritten =
    'the transaction ids of 1 event, 0 archived events, 0 seals and 0 checkpoints: 7000000000 to 7000000000 become 1 to 1.'
  expect(await program.run(['adopt-log', '--dry-run'], where)).toEqual(
    expect.objectContaining({ code: 0, stdout: `Would rewrite ${rewritten}\nNothing was changed.\n` }),
  )
  const adopted = await program.run(['adopt-log'], where)
  expect(adopted).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(`Rewrote ${rewritten}`) })
  const again = await program.run(['adopt-log', '--json'], where)
  expect(again).toMatchObject({ code: 1, stdout: '' })
  expect(again.json().error).toMatchObject({ code: 'LOG_AT_HOME' })
  expect((await program.run(['list', '--json'], where)).json().items).toHaveLength(1)
})
