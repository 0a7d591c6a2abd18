import { describe, expect, test } from 'vitest'
import { ConfigError, readConfig } from '../../../src/infrastructure/settings/config.ts'

describe('an empty environment', () => {
  test('gives the defaults', () => {
    expect(readConfig({}, {})).toMatchObject({
      databaseUrl: undefined,
      home: expect.stringMatching(/^\/.*\.commandbus$/),
      host: '127.0.0.1',
      port: undefined,
      logLevel: 'info',
    })
  })

  test('treats empty variables like missing ones', () => {
    expect(readConfig({ DATABASE_URL: '', PORT: ' ', EVENTSTORE_URL: '' })).toEqual(readConfig({}))
  })
})

describe('a full environment', () => {
  const env = {
    DATABASE_URL: 'postgresql://jane:secret@db:5432/bus',
    COMMANDBUS_HOME: '/srv/bus',
    DATABASE_TIMEOUT_MS: '5000',
    DATABASE_READ_URL: 'postgresql://jane:secret@replica:5432/bus?target_session_attrs=standby',
    DATABASE_READ_MAX_LAG_MS: '3000',
    HOST: '0.0.0.0',
    PORT: '8080',
    LOG_LEVEL: 'warn',
    COMMANDBUS_JWT_SECRET: 'hidden'.repeat(6),
    COMMANDBUS_JWKS_URL: 'https://id.example.com/keys',
  }

  test('is read as given', () => {
    expect(readConfig(env)).toMatchObject({
      databaseUrl: env.DATABASE_URL,
      databaseTimeoutMs: 5_000,
      readDatabaseUrl: env.DATABASE_READ_URL,
      maxReadLagMs: 3_000,
      home: '/srv/bus',
      host: '0.0.0.0',
      port: 8080,
      logLevel: 'warn',
      jwt: { secret: env.COMMANDBUS_JWT_SECRET, jwksUrl: env.COMMANDBUS_JWKS_URL, issuer: undefined },
    })
  })

  test('is overridden by flags', () => {
    expect(readConfig(env, { host: 'localhost', port: '0' })).toMatchObject({ host: 'localhost', port: 0 })
  })
})

describe('EVENTSTORE_URL', () => {
  test.each([
    'esdb://localhost:2113?tls=false',
    'esdb://admin:change%20it@node1.example.com:2113,node2.example.com:2113,10.0.0.3:2113?tls=true&nodePreference=leader',
    'esdb+discover://admin:secret@cluster.example.com',
    'esdb://[::1]:2113/?tlsCAFile=/etc/ssl/ca.pem',
  ])('may be %s', url => {
    expect(readConfig({ EVENTSTORE_URL: url }).eventStoreUrl).toBe(url)
  })
})

describe('a wrong value', () => {
  test.each([
    [{ COMMANDBUS_JWT_SECRET: 'topsecret' }, 'COMMANDBUS_JWT_SECRET must be a secret of at least 32 characters'],
    [{ DATABASE_URL: 'mysql://u:topsecret@h/d' }, 'DATABASE_URL must be a connection string like postgres://'],
    [{ DATABASE_URL: 'topsecret' }, 'DATABASE_URL must be'],
    [{ DATABASE_READ_URL: 'postgres://u:topsecret@h/d' }, 'DATABASE_READ_URL needs DATABASE_URL: set both, or neither'],
    [
      { DATABASE_URL: 'postgres://h/d', DATABASE_READ_URL: 'postgres://u:topsecret@h1,h2/d' },
      'DATABASE_READ_URL must name one server',
    ],
    [{ DATABASE_READ_URL: 'topsecret' }, 'DATABASE_READ_URL must be a connection string like postgres://'],
    [{ DATABASE_READ_MAX_LAG_MS: '2000' }, 'DATABASE_READ_MAX_LAG_MS needs DATABASE_READ_URL'],
    [{ DATABASE_READ_MAX_LAG_MS: '999' }, 'DATABASE_READ_MAX_LAG_MS must be a whole number of milliseconds from 1000'],
    [{ DATABASE_TIMEOUT_MS: '0' }, 'DATABASE_TIMEOUT_MS must be a whole number of milliseconds from 10 to 2147483647'],
    [{ DATABASE_TIMEOUT_MS: '5s' }, 'DATABASE_TIMEOUT_MS must be'],
    [{ DATABASE_TIMEOUT_MS: '-1' }, 'DATABASE_TIMEOUT_MS must be'],
    [{ DATABASE_TIMEOUT_MS: '3000000000' }, 'DATABASE_TIMEOUT_MS must be'],
    [{ PORT: '65536' }, 'PORT must be a port number from 0 to 65535'],
    [{ PORT: 'topsecret' }, 'PORT must be'],
    [{ PORT: '-1' }, 'PORT must be'],
    [{ LOG_LEVEL: 'topsecret' }, 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent'],
    [{ COMMANDBUS_JWKS_URL: 'ftp://topsecret' }, 'COMMANDBUS_JWKS_URL must be an http or https address'],
    [{ EVENTSTORE_URL: 'http://topsecret:2113' }, 'EVENTSTORE_URL must be a connection string like esdb://'],
    [{ EVENTSTORE_URL: 'esdb://' }, 'EVENTSTORE_URL must be'],
    [{ EVENTSTORE_URL: 'esdb://u:topsecret@' }, 'EVENTSTORE_URL must be'],
    [{ EVENTSTORE_URL: 'esdb://u:top/secret@host' }, 'EVENTSTORE_URL must be'],
    [{ EVENTSTORE_URL: 'esdb://a:2113,?tls=true' }, 'EVENTSTORE_URL must be'],
  ])('%o is refused in one sentence that does not repeat it', (env, sentence) => {
    const read = () => readConfig(env)
    expect(read).toThrow(ConfigError)
    expect(read).toThrow(sentence)
    expect(read).not.toThrow(/topsecret|\n/)
  })

  test('of a flag names the flag', () => {
    expect(() => readConfig({}, { port: '99999' })).toThrow('--port must be a port number')
  })
})
