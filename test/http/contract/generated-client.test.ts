import { execFile, spawnSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import openapiTypes, { type OpenAPI3 } from 'openapi-typescript'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sharedTestApi } from '../../support/http.ts'

const repository = fileURLToPath(new URL('../../../', import.meta.url))
/** Below node_modules, so that the program finds its packages. */
const directory = join(repository, 'node_modules', '.cache', `commandbus-client-${process.pid}`)
const shared = sharedTestApi()

beforeAll(() => mkdir(directory, { recursive: true }))
afterAll(() => rm(directory, { recursive: true, force: true }))

/** A client written from the server's description only. */
const program = `
import createClient from 'openapi-fetch'
import type { paths } from './api.js'

const [baseUrl = '', token = ''] = process.argv.slice(2)
const client = createClient<paths>({ baseUrl, headers: { authorization: \`Bearer \${token}\` } })
const path = { domain: 'payments' }

const sent = await client.POST('/api/v1/domains/{domain}/commands', {
  params: { path },
  body: { commandType: 'Charge', data: { amount: 5 }, maxAttempts: 2, backoffSeconds: [1, 2] },
})
if (sent.data === undefined) throw new Error(sent.error.detail)
const { commandId, correlationId, msgId } = sent.data
const texts: readonly [string, string, string | null] = [commandId, correlationId, msgId]

const found = await client.GET('/api/v1/domains/{domain}/commands/{commandId}', { params: { path: { ...path, commandId } } })
const listed = await client.GET('/api/v1/commands', { params: { query: { status: 'PENDING', limit: 5 } } })
const again = await client.POST('/api/v1/domains/{domain}/commands', {
  params: { path },
  body: { commandId, commandType: 'Charge', data: null },
})
console.log(JSON.stringify({
  texts,
  status: found.data?.status,
  data: found.data?.data,
  listed: listed.data?.items.map(item => item.commandId),
  again: again.error?.code,
}))
`

/** Each is a mistake that the types must reject. */
const mistakes = [
  ["client.GET('/api/v1/nothing', {})", 'a path that is not there'],
  ["client.POST('/api/v1/domains/{domain}/commands', { params: { path }, body: { data: 1 } })", 'a missing member'],
  [
    "client.POST('/api/v1/domains/{domain}/commands', { params: { path }, body: { commandType: 5, data: 1 } })",
    'a member of another type',
  ],
  ["client.GET('/api/v1/commands', { params: { query: { status: 'LOST' } } })", 'a word that is not a status'],
  ["client.GET('/api/v1/domains/{domain}/commands', { params: { path: {} } })", 'a missing parameter'],
] as const

const compile = (file: string) => {
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
  const options = [
    '--ignoreConfig',
    '--strict',
    '--target',
    'ES2023',
    '--module',
    'NodeNext',
    '--skipLibCheck',
    '--types',
    'node',
  ]
  return spawnSync(process.execPath, [tsc, ...options, file], { cwd: directory, encoding: 'utf8' })
}

test('a client that is generated from the description compiles, and sends a command', async () => {
  const { body } = await shared().request('GET', '//openapi.json')
  await writeFile(join(directory, 'package.json'), '{"type":"module"}')
  await writeFile(join(directory, 'api.d.ts'), await openapiTypes(body as OpenAPI3))
  await writeFile(join(directory, 'client.ts'), program)
  expect(compile('client.ts').stdout).toBe('')

  const token = await shared().token(['SENDER'], { sub: 'generated@example.com' })
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, [join(directory, 'client.js'), shared().url, token])
  const said = JSON.parse(stdout)
  const [commandId] = said.texts
  expect(said).toEqual({
    texts: [commandId, expect.any(String), '1'],
    status: 'PENDING',
    data: { amount: 5 },
    listed: [commandId],
    again: 'DUPLICATE_COMMAND',
  })
  const view = await shared().bus.getCommand('payments', commandId)
  expect(view).toMatchObject({ commandType: 'Charge', maxAttempts: 2 })
  const trail = await shared().bus.getAuditTrail('payments', commandId)
  expect(trail.map(({ actor }) => actor)).toEqual(['generated@example.com'])

  for (const [mistake, what] of mistakes) {
    await writeFile(join(directory, 'mistaken.ts'), `${program}\nawait ${mistake}\n`)
    expect(compile('mistaken.ts').stdout, what).toMatch(/error TS/)
  }
})
