import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { createApp } from '../../examples/fastify/app.ts'
import { startWorker } from '../../examples/fastify/worker.ts'
import { createTestBus } from '../support/bus.ts'
import { createTestDatabase } from '../support/database.ts'
import { collect, useProgram } from '../support/servers/cli.ts'
import { eventually } from '../support/servers/service.ts'

// the example names the package, and these are its sources
vi.mock('commandbus', () => import('../../src/index.ts'))

const program = useProgram()
const repository = join(import.meta.dirname, '../..')
const ann = { 'x-user': 'ann', 'x-tenant': 'acme' }
const card = { number: '4111111111111111' }

const scene = async () => {
  const { bus, until } = await createTestBus()
  const app = createApp(bus)
  const post = async (payload: unknown, headers: Readonly<Record<string, string>>) => {
    const answer = await app.inject({ method: 'POST', url: '/charges', payload: payload as object, headers })
    return { status: answer.statusCode, body: answer.json(), location: String(answer.headers.location) }
  }
  const get = async (url: string, headers: Readonly<Record<string, string>> = ann) => {
    const answer = await app.inject({ method: 'GET', url, headers })
    return { status: answer.statusCode, body: answer.json() }
  }
  return { bus, app, post, get, until }
}

test('K2: a route sends as its caller, once for each idempotency key, and a worker beside it answers', async () => {
  const { bus, post, get, until, app } = await scene()
  const worker = await startWorker(bus)
  const first = await post({ amount: 25, card }, { ...ann, 'idempotency-key': 'order-7' })
  expect(first).toMatchObject({ status: 202, location: `/charges/${first.body.id}` })
  const again = await Promise.all(
    Array.from({ length: 5 }, () => post({ card, amount: 25 }, { ...ann, 'idempotency-key': 'order-7' })),
  )
  expect(new Set(again.map(({ body }) => body.id))).toEqual(new Set([first.body.id]))
  const others = await Promise.all([
    post({ amount: 25, card }, { ...ann, 'idempotency-key': 'order-8' }),
    post({ amount: 25, card }, { ...ann, 'x-user': 'bob', 'idempotency-key': 'order-7' }),
    post({ amount: 25, card }, { ...ann, 'x-tenant': 'other', 'idempotency-key': 'order-7' }),
  ])
  expect(new Set([first, ...others].map(({ body }) => body.id)).size).toBe(4)
  const done = await until(
    () => get(first.location),
    ({ body }) => body.status === 'COMPLETED',
  )
  expect(done.body).toEqual({ id: first.body.id, status: 'COMPLETED', result: { charged: 25, card: '1111' } })
  const command = await bus.getCommand('payments', first.body.id)
  expect(command).toMatchObject({ tenantId: 'acme', totalAttempts: 1 })
  expect((await bus.getAuditTrail('payments', first.body.id))[0]).toMatchObject({ eventType: 'SENT', actor: 'ann' })

  const large = await post({ amount: 100_000, card }, { ...ann, 'idempotency-key': 'order-9' })
  const failed = await until(
    () => get(large.location),
    ({ body }) => body.status === 'FAILED',
  )
  expect(failed.body).toMatchObject({ error: 'LIMIT_EXCEEDED', message: 'the card has a limit of 5000' })
  await worker.stop()
  await app.close()
})

test('K2: a route refuses what its command does not take, with the faults and without values', async () => {
  const { bus, post, get, app } = await scene()
  const keyed = { ...ann, 'idempotency-key': 'order-7' }
  const unfit = await post({ amount: -1, card: { number: 'SECRET-4111' } }, keyed)
  expect(unfit).toMatchObject({ status: 422, body: { error: 'INVALID_REQUEST' } })
  expect(unfit.body.faults).toEqual([
    'data.amount: Too small: expected number to be >0',
    'data.card.number: Invalid string: must match pattern /^\\d{12,19}$/',
  ])
  expect(JSON.stringify(unfit)).not.toContain('SECRET')
  expect(await post({ amount: 25, card }, ann)).toMatchObject({ status: 400, body: { error: 'NO_KEY' } })
  expect(await post({ amount: 25, card }, { 'idempotency-key': 'order-7' })).toMatchObject({ status: 401 })
  expect((await bus.queryCommands({})).items).toEqual([])
  const sent = await post({ amount: 25, card }, keyed)
  expect(await post({ amount: 26, card }, keyed)).toMatchObject({ status: 422, body: { error: 'KEY_REUSED' } })
  // of another tenant: as if it did not exist
  expect(await get(sent.location, { ...ann, 'x-tenant': 'other' })).toMatchObject({ status: 404 })
  await app.close()
})

test('K2: the program compiles, answers, and stops in order at SIGTERM', async () => {
  const out = join(program.directory, 'fastify')
  const example = join(repository, 'examples', 'fastify')
  const project = join(program.directory, 'tsconfig.fastify.json')
  const config = {
    extends: join(example, 'tsconfig.json'),
    compilerOptions: { rootDir: example, outDir: out, paths: { commandbus: ['./dist/index.d.ts'] } },
    include: [join(example, '*.ts')],
  }
  await writeFile(project, JSON.stringify(config))
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
  const [code] = await once(spawn(process.execPath, [tsc, '-p', project], { stdio: 'inherit' }), 'close')
  expect(code).toBe(0)
  const database = await createTestDatabase()
  const child = spawn(process.execPath, [join(out, 'main.js')], {
    env: { PATH: process.env.PATH, DATABASE_URL: database.url, PORT: '0' },
  })
  const output = collect(child)
  try {
    const address = await eventually(
      async () => /listening on (\S+)/.exec(output.stdout)?.[1] ?? null,
      found => found !== null || child.exitCode !== null,
    )
    const answer = await fetch(`${address}/charges`, {
      method: 'POST',
      headers: { ...ann, 'idempotency-key': 'order-7', 'content-type': 'application/json' },
      body: JSON.stringify({ amount: 25, card }),
    })
    expect(answer.status).toBe(202)
    child.kill('SIGTERM')
    expect(await once(child, 'close')).toEqual([0, null])
    expect(output).toMatchObject({ stdout: expect.stringMatching(/stopped\n$/), stderr: '' })
    // nothing is left half done
    const { rows } = await database.pool.query('select status from command_bus_command')
    expect(['PENDING', 'COMPLETED']).toContain(rows[0].status)
  } finally {
    child.kill('SIGKILL')
    await database.drop()
  }
})
