import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { extract } from 'tar'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { readPgmqSql, unpackPgmq } from '../../../src/infrastructure/postgres/schema/pgmq-files.ts'
import { ensurePgmq, findPgmq, PgmqMissingError } from '../../../src/infrastructure/postgres/schema/pgmq-install.ts'
import { createEmptyDatabase, type TestDatabase } from '../../support/database.ts'

let db: TestDatabase
let client: pg.Client
const clients: pg.Client[] = []

const connect = async (config: pg.ClientConfig = {}): Promise<pg.Client> => {
  const one = new pg.Client({ connectionString: db.url, ...config })
  one.on('error', () => undefined)
  clients.push(one)
  await one.connect()
  return one
}

beforeEach(async () => {
  db = await createEmptyDatabase()
  client = await connect()
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map(one => one.end()))
  await db.drop()
})

const roundTrip = async (on: pg.Client): Promise<unknown> => {
  await on.query(`select pgmq.create('orders__commands')`)
  await on.query(`select * from pgmq.send_batch('orders__commands', array['{"a":1}', '{"a":2}']::jsonb[])`)
  const { rows } = await on.query(`select msg_id::int, read_ct, message from pgmq.read('orders__commands', 30, 10)`)
  await on.query(`select pgmq.archive('orders__commands', 1::bigint)`)
  await on.query(`select pgmq.delete('orders__commands', 2::bigint)`)
  const left = await on.query(`select queue_length::int from pgmq.metrics('orders__commands')`)
  await on.query(`select pgmq.drop_queue('orders__commands')`)
  return [rows, left.rows]
}
const expected = [
  [
    { msg_id: 1, read_ct: 1, message: { a: 1 } },
    { msg_id: 2, read_ct: 1, message: { a: 2 } },
  ],
  [{ queue_length: 0 }],
]

it('unpacks the same files as tar does', async () => {
  const place = await mkdtemp(join(tmpdir(), 'commandbus-pgmq-test-'))
  try {
    const archive = join(dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite-pgmq')), 'pgmq.tar.gz')
    await extract({ file: archive, cwd: place })
    const expected = join(place, 'share', 'postgresql', 'extension')
    const unpacked = join(await unpackPgmq(join(place, 'ours')), 'extension')
    expect(await readdir(unpacked)).toEqual(await readdir(expected))
    for (const name of await readdir(expected))
      expect(await readFile(join(unpacked, name), 'utf8')).toBe(await readFile(join(expected, name), 'utf8'))
  } finally {
    await rm(place, { recursive: true })
  }
})

describe('a server that offers the pgmq extension', () => {
  it('gets the extension, and gives the same answer the next time', async ({ skip }) => {
    const offered = await client.query(`select from pg_available_extensions where name = 'pgmq'`)
    if (offered.rowCount === 0) skip()
    const made = await ensurePgmq(client)
    expect(made).toEqual({ how: 'extension', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
    expect(await ensurePgmq(client, { installSql: true })).toEqual(made)
    expect(await roundTrip(client)).toEqual(expected)
  })

  it('gets the extension once when ten processes ask at once', async ({ skip }) => {
    const offered = await client.query(`select from pg_available_extensions where name = 'pgmq'`)
    if (offered.rowCount === 0) skip()
    const ten = await Promise.all(Array.from({ length: 10 }, () => connect()))
    const answers = await Promise.all(ten.map(one => ensurePgmq(one)))
    expect(new Set(answers.map(({ how }) => how))).toEqual(new Set(['extension']))
  })
})

describe('a database where the extension may not be created', () => {
  const role = `commandbus_role_${process.pid}_${randomBytes(4).toString('hex')}`
  let owner: pg.Client

  // An event trigger stands in for a server without the extension, whatever server the tests run on.
  beforeEach(async () => {
    const { rows } = await client.query<{ name: string }>('select quote_ident(current_database()) as name')
    await client.query(`create role ${role} login password 'x'`)
    await client.query(`grant create on database ${rows[0]?.name} to ${role}`)
    await client.query(`create function no_extension() returns event_trigger language plpgsql as
      $$ begin raise insufficient_privilege using message = 'permission denied to create extension'; end $$`)
    await client.query(`create event trigger no_extension on ddl_command_start when tag in ('CREATE EXTENSION')
      execute function no_extension()`)
    owner = await connect({ connectionString: Object.assign(new URL(db.url), { username: role, password: 'x' }).href })
  })
  afterEach(async () => {
    await Promise.all(clients.splice(0).map(one => one.end()))
    await db.drop()
    const admin = new pg.Client(inject('serverUrl'))
    await admin.connect()
    await admin.query(`drop role ${role}`)
    await admin.end()
  })

  it('is refused with a sentence that says what to do, and left as it was', async () => {
    const refused = ensurePgmq(owner)
    await expect(refused).rejects.toBeInstanceOf(PgmqMissingError)
    await expect(refused).rejects.toThrow(
      /has no pgmq \(.+\): install the pgmq extension.*commandbus migrate --install-pgmq/,
    )
    expect((await client.query(`select from pg_namespace where nspname = 'pgmq'`)).rowCount).toBe(0)
  })

  it('gets the SQL of the npm package when asked, and remembers its version', async () => {
    const { version } = await readPgmqSql()
    expect(await ensurePgmq(owner, { installSql: true })).toEqual({ how: 'sql', version })
    expect(await ensurePgmq(owner)).toEqual({ how: 'sql', version })
    expect(await ensurePgmq(owner, { installSql: true })).toEqual({ how: 'sql', version })
    expect(await roundTrip(owner)).toEqual(expected)
  })

  it('gets the SQL once when ten processes ask at once', async () => {
    const url = Object.assign(new URL(db.url), { username: role, password: 'x' }).href
    const ten = await Promise.all(Array.from({ length: 10 }, () => connect({ connectionString: url })))
    const answers = await Promise.all(ten.map(one => ensurePgmq(one, { installSql: true })))
    expect(answers.map(({ how }) => how)).toEqual(Array(10).fill('sql'))
    expect(await roundTrip(owner)).toEqual(expected)
  })

  it('uses an installation that somebody made by hand', async () => {
    const { sql } = await readPgmqSql()
    await owner.query(sql)
    expect(await findPgmq(owner)).toEqual({ how: 'sql', version: 'unknown' })
    expect(await ensurePgmq(owner)).toEqual({ how: 'sql', version: 'unknown' })
  })

  it('says that the role may not create a schema either, and leaves nothing', async () => {
    await client.query(
      `do $$ begin execute format('revoke create on database %I from ${role}', current_database()); end $$`,
    )
    await expect(ensurePgmq(owner, { installSql: true })).rejects.toThrow(/could not be installed \(permission denied/)
    expect((await client.query(`select from pg_namespace where nspname = 'pgmq'`)).rowCount).toBe(0)
  })

  it('says that the database is read-only', async () => {
    await owner.query('set default_transaction_read_only = on')
    await expect(ensurePgmq(owner, { installSql: true })).rejects.toThrow(/read-only/)
  })
})
