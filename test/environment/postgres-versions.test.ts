import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createCommandBus, PermanentCommandError } from '../../src/index.ts'
import { createStats } from '../../src/infrastructure/postgres/stats/stats.ts'
import { until } from '../support/bus.ts'
import { useProgram } from '../support/servers/cli.ts'
import { type InstalledServer, installedVersions, startInstalled } from '../support/servers/installed-postgres.ts'

const program = useProgram()

interface Owned {
  /** Connection string of a database's owner, who has no other right. */
  readonly url: string
  readonly drop: () => Promise<void>
}

const asAdmin = async <A>(url: string, body: (client: pg.Client) => Promise<A>): Promise<A> => {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await body(client)
  } finally {
    await client.end()
  }
}

const createOwned = async (serverUrl: string): Promise<Owned> => {
  const name = `commandbus_owner_${process.pid}_${randomBytes(4).toString('hex')}`
  await asAdmin(serverUrl, async client => {
    await client.query(`create role ${name} login nosuperuser nocreatedb nocreaterole password 'x'`)
    await client.query(`create database ${name} owner ${name} template template0`)
  })
  return {
    url: Object.assign(new URL(serverUrl), { pathname: `/${name}`, username: name, password: 'x' }).href,
    drop: () =>
      asAdmin(serverUrl, async client => {
        await client.query(`drop database ${name} with (force)`)
        await client.query(`drop role ${name}`)
      }),
  }
}

/** As a server without the extension answers. */
const refuseExtension = (serverUrl: string, { url }: Owned): Promise<void> =>
  asAdmin(Object.assign(new URL(serverUrl), { pathname: new URL(url).pathname }).href, async client => {
    await client.query(`create function no_extension() returns event_trigger language plpgsql as
      $$ begin raise insufficient_privilege using message = 'permission denied to create extension'; end $$`)
    await client.query(`create event trigger no_extension on ddl_command_start when tag in ('CREATE EXTENSION')
      execute function no_extension()`)
  })

/** Migrates with the program, then works: commands that complete, parked and retried ones, replies, stats, proof. */
const useIt = async ({ url }: Owned, how: 'extension' | 'sql', major: number): Promise<void> => {
  const run = (...args: string[]) => program.run(args, { env: { DATABASE_URL: url } })
  const migrated = await run('migrate', '--json', ...(how === 'sql' ? ['--install-pgmq'] : []))
  expect(migrated).toMatchObject({ code: 0, stderr: '' })
  expect(migrated.json()).toMatchObject({ pgmq: { how } })
  expect(await run('queues', 'create', '--domain', 'payments', '--reply-to', 'shop__replies')).toMatchObject({
    code: 0,
  })

  const bus = createCommandBus({ databaseUrl: url })
  const worker = bus.worker({
    domain: 'payments',
    pollMs: 100,
    handlers: {
      Charge: data => {
        if ((data as { readonly amount: number }).amount === 6) throw new PermanentCommandError('CARD_DECLINED', 'no')
        return { charged: true }
      },
    },
  })
  try {
    await worker.start()
    const done = (await bus.send('payments', 'Charge', { amount: 5 }, { replyTo: 'shop__replies' })).commandId
    const parked = '5f0c2a7e-0000-4000-8000-000000000002'
    await bus.send('payments', 'Charge', { amount: 6 }, { commandId: parked, replyTo: 'shop__replies' })
    const reaches = (id: string, status: string) =>
      until(
        () => bus.getCommand('payments', id),
        command => command?.status === status,
      )
    await reaches(done, 'COMPLETED')
    await reaches(parked, 'IN_TROUBLESHOOTING_QUEUE')
    expect(await bus.troubleshooting.list({})).toMatchObject({ total: 1 })
    await bus.troubleshooting.retry('payments', parked, { operator: 'jane', data: { amount: 7 } })
    await reaches(parked, 'COMPLETED')
    expect((await bus.getAuditTrail('payments', parked)).map(({ eventType }) => eventType)).toContain('OPERATOR_RETRY')
    expect(await bus.getHistory('payments', parked)).toMatchObject({
      state: { status: 'COMPLETED', data: { amount: 7 } },
    })
    expect(worker.health()).toMatchObject({ status: 'healthy' })
  } finally {
    await worker.stop({ deadlineMs: 0 })
    await bus.close()
  }
  expect((await run('replies', 'read', 'shop__replies', '--json')).json().items).toHaveLength(2)
  expect((await run('queues', 'list', '--json')).json().items).toMatchObject([
    { queue: 'payments__commands', depth: 0, visible: 0 },
    { queue: 'shop__replies', depth: 0, visible: 0 },
  ])
  expect((await run('verify', '--json')).json()).toMatchObject({ findings: [], commands: 2 })
  expect((await run('doctor', '--json')).json()).toMatchObject({ health: { status: 'healthy' } })
  expect(await run('queues', 'drop', 'shop__replies')).toMatchObject({ code: 0 })

  const pool = new pg.Pool({ connectionString: url, max: 2 })
  expect((await createStats(pool).read()).domains).toMatchObject([{ domain: 'payments', COMPLETED: 2 }])
  await pool.end()

  const { rows } = await asAdmin(url, client =>
    client.query(`select rolsuper or rolcreaterole or rolcreatedb as more, current_setting('server_version_num')::int / 10000 as major
      from pg_roles where rolname = current_user`),
  )
  expect(rows).toEqual([{ more: false, major }])
}

const versions = installedVersions()

if (versions.length === 0) {
  test('R16: another PostgreSQL than the one from npm', ({ skip }) => {
    skip('none of 15 to 18 is in /usr/lib/postgresql: install one, such as the package postgresql-15 of Debian 12')
  })
}

describe.each(versions)('PostgreSQL %s of this machine, for an owner who is no superuser', version => {
  let server: InstalledServer
  beforeAll(async () => {
    server = await startInstalled(version)
  })
  afterAll(() => server.stop())

  test(`R16: PostgreSQL ${version} with pgmq as SQL`, async () => {
    const owned = await createOwned(server.url)
    await useIt(owned, 'sql', Number(version))
  })

  test(`R16: PostgreSQL ${version} with pgmq as an extension`, async () => {
    await server.offerPgmq()
    const owned = await createOwned(server.url)
    await useIt(owned, 'extension', Number(version))
  })
})

describe('the PostgreSQL of the tests, for an owner who is no superuser', () => {
  const serverUrl = inject('serverUrl')
  const major = (): Promise<number> =>
    asAdmin(serverUrl, async client => {
      const { rows } = await client.query(`select current_setting('server_version_num')::int / 10000 as major`)
      return rows[0].major
    })

  test('R16: with pgmq as SQL', async () => {
    const owned = await createOwned(serverUrl)
    try {
      await refuseExtension(serverUrl, owned)
      await useIt(owned, 'sql', await major())
    } finally {
      await owned.drop()
    }
  })

  test('R16: with pgmq as an extension', async ({ skip }) => {
    const offered = await asAdmin(serverUrl, client =>
      client.query(`select from pg_available_extensions where name = 'pgmq'`),
    )
    if (offered.rowCount === 0) skip('the server of the tests has no pgmq extension')
    const owned = await createOwned(serverUrl)
    try {
      await useIt(owned, 'extension', await major())
    } finally {
      await owned.drop()
    }
  })
})
