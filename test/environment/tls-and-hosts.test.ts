import * as E from 'fp-ts/lib/Either.js'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { createCommandBus, InvalidInputError } from '../../src/index.ts'
import { toPublicError } from '../../src/infrastructure/postgres/connection/errors.ts'
import { parseConnection } from '../../src/infrastructure/postgres/connection/settings.ts'
import { freePort } from '../../src/infrastructure/postgres/embedded/postmaster.ts'
import { parseDatabaseUrl, withoutPassword } from '../../src/infrastructure/postgres/network/url.ts'
import { clientLike, createPool } from '../../src/infrastructure/postgres/transactions/pool.ts'
import { readConfig } from '../../src/infrastructure/settings/config.ts'
import { createTestDatabase } from '../support/database.ts'
import { noTls, startTlsServer, type TlsServer } from '../support/servers/tls-server.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const open = (url: string, max = 2): pg.Pool => {
  const pool = createPool(url, max)
  cleanUps.push(() => pool.end())
  return pool
}

/** Whether the connection is encrypted, or the reason why there is none. */
const encryption = async (url: string): Promise<unknown> => {
  try {
    const { rows } = await open(url).query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
    return rows[0].ssl
  } catch (error) {
    return toPublicError(error).message
  }
}

const secret = 'S3cret'

describe.skipIf(noTls !== null)(`R13: a certificate that nobody knows${noTls === null ? '' : ` (${noTls})`}`, () => {
  let server: TlsServer
  beforeAll(async () => {
    server = await startTlsServer()
  })
  afterAll(() => server.stop())
  const url = (parameters: string, host = 'localhost'): string =>
    `${server.url.replace('127.0.0.1', host)}?${parameters.replace('FILE', encodeURIComponent(server.certificate))}`

  it.each([
    ['sslmode=require', 'localhost', true],
    ['sslmode=require', '127.0.0.1', true],
    ['sslmode=require&channel_binding=require', 'localhost', true],
    ['sslmode=require&sslrootcert=FILE', '127.0.0.1', true],
    ['sslmode=no-verify', 'localhost', true],
    ['sslmode=prefer', 'localhost', true],
    ['sslmode=allow', 'localhost', false],
    ['sslmode=disable', 'localhost', false],
    ['sslmode=verify-ca&sslrootcert=FILE', '127.0.0.1', true],
    ['sslmode=verify-full&sslrootcert=FILE', 'localhost', true],
    ['sslrootcert=FILE', 'localhost', true],
    ['sslmode=verify-full', 'localhost', /signed by an unknown authority.*sslrootcert=<file>.*sslmode=require/],
    ['ssl=true', 'localhost', /signed by an unknown authority/],
    ['sslmode=verify-full&sslrootcert=FILE', '127.0.0.1', /another host name.*verify-ca/],
    ['sslmode=verify-ca', 'localhost', /verify-ca without a certificate authority: add sslrootcert=<file>/],
    ['sslmode=verify-full&sslrootcert=/nowhere.crt', 'localhost', /file for sslrootcert that cannot be read/],
    ['sslmode=strict', 'localhost', /sslmode that does not exist: use one of disable, .*verify-full/],
  ])('R13: %s at %s', async (parameters, host, expected) => {
    const got = await encryption(url(parameters, host))
    if (expected instanceof RegExp) expect(got).toMatch(expected)
    else expect(got).toBe(expected)
  })

  it('R13: a server without TLS: prefer goes on without, require says so', async () => {
    const database = await createTestDatabase()
    cleanUps.push(() => database.drop())
    const pool = open(`${database.url}?sslmode=prefer`, 3)
    const ask = () => pool.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
    for (const { rows } of await Promise.all([ask(), ask(), ask()])) expect(rows).toEqual([{ ssl: false }])
    expect(await encryption(`${database.url}?sslmode=require`)).toMatch(/no TLS.*sslmode=disable or prefer/)
  })

  it('R13: several hosts: dead and read-only ones are skipped, also by separate connections', async () => {
    const database = await createTestDatabase()
    cleanUps.push(() => database.drop())
    const name = new URL(database.url).pathname.slice(1)
    const role = `several_${process.pid}`
    const writable = open(inject('serverUrl'))
    const standby = open(server.url)
    for (const pool of [writable, standby]) await pool.query(`create role ${role} login superuser password '${secret}'`)
    cleanUps.push(() => writable.query(`drop role ${role}`).catch(() => {}))
    await standby.query(`create database ${name}`)
    await standby.query(`alter database ${name} set default_transaction_read_only = on`)
    const at = (address: string) => new URL(address).host
    const hosts = [`127.0.0.1:${await freePort()}`, at(server.url), at(database.url)]
    const several = `postgres://${role}:${secret}@${hosts.join(',')}/${name}`

    const bus = createCommandBus({ databaseUrl: several })
    await bus.send('shop', 'Buy', {})
    await bus.close()
    const pool = open(several)
    const client = clientLike(pool)
    const ends: string[] = []
    client.on('end', () => ends.push('end'))
    await client.connect()
    const { rows } = await client.query('select count(*)::int as n from command_bus_command')
    expect(rows).toEqual([{ n: 1 }])
    await client.end()
    expect(ends).toEqual(['end'])
    await pool.query('select 1')

    const away = open(`postgres://${role}:${secret}@${hosts.slice(0, 2).join(',')}/${name}`)
    const error = toPublicError(await away.query('select 1').catch(e => e))
    expect(error.message).toMatch(/read-only.*primary/)
    await expect(
      open(`postgres://${role}:wrong@${hosts.join(',')}/${name}`)
        .query('select 1')
        .catch(e => {
          throw toPublicError(e)
        }),
    ).rejects.toThrow(/refused the password/)
  })
})

describe('R13: names and passwords', () => {
  const odd = [
    `p%ss`,
    '100%',
    'a@b',
    'a:b',
    'a#b',
    'a b',
    `it's "so"`,
    'käse☃',
    '%zz',
    'back\\slash',
    'a&b=c',
    'a+b',
    '$1',
  ]

  it('R13: a password with odd characters works as it is, and percent-encoded', async () => {
    const admin = open(inject('serverUrl'))
    const role = `odd_${process.pid}`
    await admin.query(`create role ${role} login`)
    cleanUps.push(() => admin.query(`drop role ${role}`))
    const { host } = new URL(inject('serverUrl'))
    for (const password of [...odd, 'a/b', 'a?b', '%41']) {
      const literal = `'${password.replaceAll("'", "''")}'`
      await admin.query(
        `alter role ${role} password ${password.includes('\\') ? `E${literal.replaceAll('\\', '\\\\')}` : literal}`,
      )
      const ways = odd.includes(password) ? [password, encodeURIComponent(password)] : [encodeURIComponent(password)]
      for (const way of ways) {
        const url = `postgres://${role}:${way}@${host}/postgres`
        expect((await open(url, 1).query('select current_user::text as me')).rows).toEqual([{ me: role }])
        expect(withoutPassword(url)).toBe(`postgres://${role}:***@${host}/postgres`)
      }
    }
  })

  it.each([
    `postgres://me:${secret}/x@db.example.com/bus`,
    `postgres://me:${secret}?x@db.example.com/bus`,
    `postgres://me:12/${secret}@db.example.com/bus`,
    `postgres://me:${secret}%E4@db.example.com/bus`,
    `postgres://me:${secret}@db.example.com:port/bus`,
    `postgres://me:${secret}@db.example.com:99999/bus`,
    `postgres://me:${secret}@[::1/bus`,
    `postgres://me:${secret}@h1,h2,h 3/bus`,
    `postgres://me:${secret}@h1/bus?sslmode=on`,
    `postgres://me:${secret}@h1/bus?connect_timeout=soon`,
    `postgres://me:${secret}@h1,h2/bus?target_session_attrs=standby`,
    `mysql://me:${secret}@h1/bus`,
  ])('R13: one sentence without the secret, in the library and in the service: %s', url => {
    const said: string[] = []
    for (const attempt of [() => createCommandBus({ databaseUrl: url }), () => readConfig({ DATABASE_URL: url })]) {
      try {
        attempt()
      } catch (error) {
        said.push((error as Error).message)
        if (attempt.length === 0 && said.length === 1) expect(error).toBeInstanceOf(InvalidInputError)
      }
    }
    expect(said).toHaveLength(2)
    for (const sentence of said) {
      expect(sentence).not.toContain(secret)
      expect(sentence).not.toContain('\n')
    }
    expect(withoutPassword(url)).not.toContain(secret)
  })

  it('R13: connection strings are read as libpq reads them', () => {
    const read = (url: string) => E.getOrElseW(fault => fault)(parseDatabaseUrl(url))
    expect(read('postgresql://[2001:db8::1]:5433,h2/d')).toMatchObject({
      hosts: [{ host: '2001:db8::1', port: 5433 }, { host: 'h2' }],
      database: 'd',
    })
    expect(read('postgres://u@%2Fvar%2Frun/d')).toMatchObject({ hosts: [{ host: '/var/run' }], user: 'u' })
    expect(read('postgres:///d?host=/tmp&port=5433&user=x&password=a%26b')).toMatchObject({
      hosts: [{ host: '/tmp', port: 5433 }],
      user: 'x',
      password: 'a&b',
    })
    expect(read('postgres://')).toMatchObject({ hosts: [{}] })
    expect(withoutPassword('postgres://u@h/d?password=x&sslmode=require')).toBe(
      'postgres://u@h/d?password=***&sslmode=require',
    )
    expect(parseConnection('postgres://h/d?max=1&application_name=mine')).toMatchObject({
      right: { config: { application_name: 'mine' } },
    })
  })
})
