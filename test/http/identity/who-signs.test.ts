import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createIdentify } from '../../../src/infrastructure/http/identity/identity.ts'
import { localSecret } from '../../../src/infrastructure/http/identity/local-secret.ts'
import { signToken } from '../../../src/infrastructure/http/identity/token.ts'
import { readConfig } from '../../../src/infrastructure/settings/config.ts'
import { identityOptions } from '../../../src/infrastructure/settings/identity-options.ts'
import { compiledModules } from '../../support/servers/compiled.ts'

let root: string
let home: string
let homes = 0
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'commandbus-secret-'))
})
beforeEach(() => {
  home = join(root, `home-${homes++}`, 'deep')
})
afterAll(() => rm(root, { recursive: true, force: true }))

describe('who signs tokens', () => {
  const options = (env: Record<string, string>) => identityOptions(readConfig({ COMMANDBUS_HOME: home, ...env }))

  test.each([
    '0.0.0.0',
    '::',
    '192.168.1.5',
    '10.0.0.1',
    'bus.example.com',
    '127.0.0.1.example.com',
    '::ffff:0:0',
    'localhost.example.com',
    '128.0.0.1',
  ])('must be configured before others can reach the service at %s', async host => {
    await expect(options({ HOST: host })).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringContaining('COMMANDBUS_JWT_SECRET'),
    })
    const empty = { HOST: host, COMMANDBUS_JWT_SECRET: '', COMMANDBUS_JWKS_URL: ' ' }
    await expect(options(empty)).rejects.toMatchObject({ code: 'INVALID_CONFIGURATION' })
    await expect(readdir(home)).rejects.toMatchObject({ code: 'ENOENT' })
    const secret = 's3cret'.repeat(6)
    expect(await options({ HOST: host, COMMANDBUS_JWT_SECRET: secret })).toEqual({ secret })
    const jwksUrl = 'https://id.example.com/keys'
    const ours = { HOST: host, COMMANDBUS_JWKS_URL: jwksUrl, COMMANDBUS_JWT_AUDIENCE: 'bus' }
    expect(await options(ours)).toEqual({ jwksUrl, audience: 'bus' })
  })

  test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1', '[::1]'])('is the home itself at %s', async host => {
    const { secret } = await options({ HOST: host })
    expect(secret).toBe(await readFile(join(home, 'jwt.secret'), 'utf8'))
  })

  test('are the public keys when both are configured; the secret then has no effect', async () => {
    const COMMANDBUS_JWT_SECRET = 's3cret'.repeat(6)
    const keys = { COMMANDBUS_JWKS_URL: 'http://localhost:1/keys', COMMANDBUS_JWT_AUDIENCE: '*' }
    expect(await options({ ...keys, COMMANDBUS_JWT_SECRET })).toEqual({ jwksUrl: 'http://localhost:1/keys' })
  })

  test("G13: an identity provider's keys need a configured audience, because they sign for others, too, or an explicit waiver", async () => {
    const COMMANDBUS_JWKS_URL = 'https://id.example.com/keys'
    await expect(
      options({ COMMANDBUS_JWKS_URL, COMMANDBUS_JWT_ISSUER: 'https://id.example.com' }),
    ).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringMatching(/COMMANDBUS_JWT_AUDIENCE.*\*/),
    })
    expect(await options({ COMMANDBUS_JWKS_URL, COMMANDBUS_JWT_AUDIENCE: '*' })).toEqual({
      jwksUrl: COMMANDBUS_JWKS_URL,
    })
  })

  test('issuer and audience are passed on, and a token of the bus has them', async () => {
    const env = { COMMANDBUS_JWT_ISSUER: 'https://id.example.com', COMMANDBUS_JWT_AUDIENCE: 'bus' }
    const found = await options(env)
    expect(found).toEqual({ issuer: env.COMMANDBUS_JWT_ISSUER, audience: 'bus', secret: expect.any(String) })
    const jane = { subject: 'jane@example.com', tenant: 't1', roles: ['SENDER', 'USER'] } as const
    const token = await signToken({ ...found, secret: found.secret ?? '' }, jane, 60)
    expect(await createIdentify(found)(`Bearer ${token}`)).toMatchObject(jane)
  })
})

describe('the secret of a home', () => {
  test('is made once, is long, and is readable by its owner only', async () => {
    const secret = await localSecret(home)
    expect(secret).toMatch(/^[\w-]{43}$/)
    expect((await stat(join(home, 'jwt.secret'))).mode & 0o777).toBe(0o600)
    expect(await localSecret(home)).toBe(secret)
    expect(await localSecret(`${home}-of-another`)).not.toBe(secret)
    expect(await readdir(home)).toEqual(['jwt.secret'])
  })

  test('is readable by its owner only, whatever the umask of the process', async () => {
    const before = process.umask(0)
    try {
      await localSecret(home)
    } finally {
      process.umask(before)
    }
    expect((await stat(join(home, 'jwt.secret'))).mode & 0o777).toBe(0o600)
  })

  test('is the same for fifty calls at once', async () => {
    const secrets = await Promise.all(Array.from({ length: 50 }, () => localSecret(home)))
    expect(new Set(secrets).size).toBe(1)
    expect(await readdir(home)).toEqual(['jwt.secret'])
  })

  test.each(['', '\n', 'short', 'x'.repeat(31)])('must not be guessable: %j', async text => {
    await localSecret(home)
    await writeFile(join(home, 'jwt.secret'), text)
    await expect(localSecret(home)).rejects.toMatchObject({
      code: 'LOCAL_SECRET',
      message: expect.stringContaining('remove it'),
    })
  })

  describe('the secret of twenty processes that start at once', () => {
    test('is the same', async () => {
      const module = join(compiledModules(), 'infrastructure', 'http', 'identity', 'local-secret.js')
      const program = `const { localSecret } = await import(${JSON.stringify(module)})
        process.stdin.once('data', async () => { console.log(await localSecret(${JSON.stringify(home)})); process.exit(0) })
        console.error('ready')`
      const children = Array.from({ length: 20 }, () => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', program])
        const ready = new Promise(resolve => child.stderr.once('data', resolve))
        const said = new Promise<string>(resolve => {
          let text = ''
          child.stdout.on('data', data => {
            text += data
          })
          child.on('close', () => resolve(text.trim()))
        })
        return { child, ready, said }
      })
      await Promise.all(children.map(({ ready }) => ready))
      for (const { child } of children) child.stdin.write('go\n')
      const secrets = await Promise.all(children.map(({ said }) => said))
      expect(new Set(secrets)).toEqual(new Set([await localSecret(home)]))
      expect(await readdir(home)).toEqual(['jwt.secret'])
    })
  })
})
