import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import pg from 'pg'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { createTestBus } from '../support/bus.ts'
import { collect, lineOf, useProgram } from '../support/servers/cli.ts'
import { eventually, readiness, startService } from '../support/servers/service.ts'

const program = useProgram()
const servers: Server[] = []
const sockets: Socket[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

/** A port with a listener that never answers. */
const silentPort = async (): Promise<number> => {
  const server = createServer(socket => {
    sockets.push(socket.on('error', () => undefined))
  })
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return (server.address() as { port: number }).port
}

const freePort = async (): Promise<number> => {
  const port = await silentPort()
  const server = servers.pop()
  server?.close()
  return port
}

/** The address that a worker names in its first line. */
const urlOf = async (worker: ChildProcess): Promise<string> => {
  const line = await lineOf(worker, 'stdout', text => text.startsWith('Working'))
  return /Health and metrics are at (http:\S+)\. /.exec(line)?.[1] ?? `no address in: ${line}`
}

const portOf = (url: string): string => new URL(url).port

/** A token for the reasons, made by a user who can read this machine's secret. */
const watcher = async (): Promise<string> =>
  (await program.run(['token', '--sub', 'me', '--roles', 'AUDITOR'])).stdout.trim()

const startWorker = async (databaseUrl: string, args: readonly string[] = [], env = {}) => {
  const worker = program.launch(['worker', '--demo', ...args], { env: { DATABASE_URL: databaseUrl, ...env } })
  return { worker, url: await urlOf(worker) }
}

describe('a worker that is given a port', () => {
  test('R18: serves health and metrics there; with port 0 it uses a free port and prints it', async () => {
    const { bus, database, until } = await createTestBus()
    const { worker, url } = await startWorker(database.url, ['--port', '0'])
    expect(await (await fetch(`${url}/health/live`)).json()).toMatchObject({ status: 'alive', pid: worker.pid })
    const token = await watcher()
    const ready = await eventually(
      () => readiness(url, token),
      ({ status }) => status === 'healthy',
    )
    expect(ready).toMatchObject({ code: 200, reasons: [], checks: { 'worker:demo': { status: 'healthy' } } })
    const { commandId } = await bus.send('demo', 'Greet', {})
    await until(
      () => bus.getCommand('demo', commandId),
      command => command?.status === 'COMPLETED',
    )
    const page = await eventually(
      async () => (await fetch(`${url}/metrics`)).text(),
      text => text.includes('outcome="completed"'),
    )
    expect(page).toContain('commandbus_worker_slots{domain="demo"} 10')
    expect(page).toContain('process_cpu_seconds_total')
    expect((await fetch(`${url}/api/v1/commands`)).status).toBe(404)
  })

  test('R18: is alive and not ready while it starts; a second start on the same port is refused', async () => {
    const port = String(await freePort())
    const env = { DATABASE_URL: `postgres://nobody@127.0.0.1:${await silentPort()}/none`, PORT: port }
    const worker = program.launch(['worker', '--demo'], { env })
    const url = `http://127.0.0.1:${port}`
    await lineOf(worker, 'stderr', line => line.includes('HTTP listens at'))
    expect((await fetch(`${url}/health/live`)).status).toBe(200)
    expect(await readiness(url)).toMatchObject({ code: 503, status: 'critical' })
    const second = await program.run(['worker', '--demo'], { env })
    expect(second.code).toBe(1)
    expect(second.stderr).toBe(
      `commandbus: port ${port} on 127.0.0.1 is in use by another program: choose another one with --port, or 0 for any that is free\n`,
    )
  })

  test('R18: answers 503 with the reasons while its database is away, and 200 when it is back', async () => {
    const { database } = await createTestBus()
    const { url } = await startWorker(database.url, ['--port', '0'])
    await eventually(
      () => readiness(url),
      ({ status }) => status === 'healthy',
    )
    const name = new URL(database.url).pathname.slice(1)
    const admin = new pg.Client(inject('serverUrl'))
    await admin.connect()
    try {
      await admin.query(`alter database ${name} allow_connections false`)
      await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
      const token = await watcher()
      const away = await eventually(
        () => readiness(url, token),
        ({ code }) => code === 503,
      )
      expect(away.reasons.join()).toMatch(/the queue could not be read for \d+ s/)
      expect((await fetch(`${url}/health/live`)).status).toBe(200)
      const asked = await program.run(['health'], { env: { PORT: portOf(url) } })
      expect(asked).toMatchObject({ code: 1, stdout: '' })
      expect(asked.stderr).toMatch(/^commandbus: critical: .*the queue could not be read/)
    } finally {
      await admin.query(`alter database ${name} allow_connections true`)
      await admin.end()
    }
    await eventually(
      () => readiness(url),
      ({ status }) => status === 'healthy',
    )
  })

  test('R18: stops within its deadline, whatever a client of its port does, and is not ready meanwhile', async () => {
    const { bus, database, until } = await createTestBus()
    const { worker, url } = await startWorker(database.url, ['--port', '0', '--domain', 'demo'])
    const output = collect(worker)
    const half = connect(Number(portOf(url)), '127.0.0.1')
    sockets.push(half.on('error', () => undefined))
    half.write('GET /health/live HTTP/1.1\r\nHost: half\r\n')
    const { commandId } = await bus.send('demo', 'Slow', { behavior: { durationMs: 4000 } })
    await until(
      () => bus.getCommand('demo', commandId),
      command => command?.status === 'IN_PROGRESS',
    )
    const token = await watcher()
    const ended = once(worker, 'exit')
    worker.kill('SIGTERM')
    const stopping = await eventually(
      () => readiness(url, token),
      ({ code }) => code === 503,
    )
    expect(stopping.reasons).toContain('the worker is stopping')
    expect(await ended).toEqual([0, null])
    expect(output.stderr).not.toContain('"level":"error"')
    expect(await bus.getCommand('demo', commandId)).toMatchObject({ status: 'COMPLETED', attempts: 1 })
  })
})

test('R18: a worker without a port does not listen, and a supervised one leaves PORT to its service', async () => {
  const { database } = await createTestBus()
  const port = String(await freePort())
  const alone = program.launch(['worker', '--demo', '--json'], { env: { DATABASE_URL: database.url } })
  await lineOf(alone, 'stdout', line => line.includes('"workers"'))
  expect((await program.run(['health', '--port', port])).stderr).toBe(
    `commandbus: nothing answers at http://127.0.0.1:${port}/health/ready (ECONNREFUSED)\n`,
  )
  const service = await startService(program, { DATABASE_URL: database.url, PORT: port }, ['--demo', '--port', port])
  const ready = await eventually(
    () => readiness(service.url, service.token),
    ({ status }) => status === 'healthy',
  )
  expect(ready.checks.worker?.status).toBe('healthy')
  expect((await program.run(['health'], { env: { PORT: port } })).stdout).toBe('healthy\n')
})

test('G12: the port of a worker shows strangers its status and its metrics, and no more', async () => {
  const { database } = await createTestBus()
  const { url } = await startWorker(database.url, ['--port', '0'])
  await eventually(
    () => readiness(url),
    ({ status }) => status === 'healthy',
  )
  expect(await (await fetch(`${url}/health/ready`)).json()).toEqual({ status: 'healthy' })
  expect((await fetch(`${url}/metrics`)).status).toBe(200)
})

test('G12: a service shows metrics only with a token, or to everybody at the separate port for metrics', async () => {
  const { database } = await createTestBus()
  const metricsPort = String(await freePort())
  const env = { DATABASE_URL: database.url, COMMANDBUS_METRICS_PORT: metricsPort }
  const service = await startService(program, env, [])
  const statusOf = async (url: string, token?: string) =>
    (await fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })).status
  expect(await statusOf(`${service.url}/metrics`)).toBe(401)
  expect(await statusOf(`${service.url}/metrics`, service.token)).toBe(200)
  const open = `http://127.0.0.1:${metricsPort}`
  expect(await (await fetch(`${open}/metrics`)).text()).toContain('commandbus_database_up 1')
  for (const path of ['/', '/health/ready', '/health/live', '/docs', '/api/v1/commands']) {
    expect([path, await statusOf(`${open}${path}`, service.token)]).toEqual([path, 404])
  }
  const taken = await program.run(['start', '--port', '0'], {
    env: { ...env, COMMANDBUS_HOME: await program.newHome() },
  })
  expect(taken).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(
      `port ${metricsPort} on 127.0.0.1 is in use by another program: choose another one with COMMANDBUS_METRICS_PORT`,
    ),
  })
})
