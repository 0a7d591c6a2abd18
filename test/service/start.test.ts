import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { embeddedStatus } from '../../src/infrastructure/postgres/embedded/index.ts'
import { useProgram } from '../support/servers/cli.ts'
import { eventually, isAlive, readiness, startService } from '../support/servers/service.ts'

const program = useProgram()

describe('start, with nothing configured', () => {
  test('A29: is ready with database and worker, shows the demo, and leaves nothing behind after SIGTERM', async () => {
    const env = { COMMANDBUS_HOME: await program.newHome() }
    const service = await startService(program, env)
    const ready = await readiness(service.url, service.token)
    expect(ready).toMatchObject({ code: 200, status: 'healthy', reasons: [] })
    expect(Object.keys(ready.checks)).toEqual(
      expect.arrayContaining(['database', 'schema', 'queue', 'worker', 'proof']),
    )
    expect(await (await fetch(`${service.url}/health/live`)).json()).toMatchObject({
      status: 'alive',
      pid: service.pid,
    })
    const page = await (await fetch(service.url)).text()
    expect(page).toMatch(/commandbus[\s\S]*domains demo, operations, workflow[\s\S]*npx commandbus send demo/)
    const list = async () => (await program.run(['list', '--domain', 'demo', '--json'], { env })).json().items
    const ended = (items: readonly { readonly [name: string]: unknown }[]) =>
      items.filter(({ status }) => status !== 'PENDING' && status !== 'IN_PROGRESS')
    expect(
      ended(await eventually(list, items => ended(items).length === 4))
        .map(({ status }) => status)
        .sort(),
    ).toEqual(['COMPLETED', 'COMPLETED', 'FAILED', 'IN_TROUBLESHOOTING_QUEUE'])
    const doctor = (await program.run(['doctor', '--json'], { env })).json()
    expect(doctor).toMatchObject({
      databaseUrl: expect.stringMatching(/^postgres:\/\/commandbus:[^*]+@127\.0\.0\.1:\d+\/commandbus$/),
      health: { status: 'healthy', checks: { service: { running: true, pid: service.pid, url: service.url } } },
    })
    const { pid: postgres } = await embeddedStatus(env.COMMANDBUS_HOME)
    service.signal('SIGTERM')
    expect(await service.ended).toBe(0)
    expect([service.pid, postgres ?? 0, ...service.workers()].filter(isAlive)).toEqual([])
    expect(await embeddedStatus(env.COMMANDBUS_HOME)).toMatchObject({ running: false, users: [] })
  })

  test('runs once for a home: the second start names the process that uses it; SIGINT ends the first', async () => {
    const env = { COMMANDBUS_HOME: await program.newHome() }
    const service = await startService(program, env, [])
    const second = await program.run(['start', '--port', '0', '--json'], { env })
    expect(second).toMatchObject({ code: 1, stdout: '' })
    expect(second.json().error).toMatchObject({
      code: 'ALREADY_RUNNING',
      message: expect.stringContaining(`as process ${service.pid} at ${service.url}`),
    })
    expect(await readiness(service.url)).toMatchObject({ code: 200 })
    service.signal('SIGINT')
    expect(await service.ended).toBe(0)
  })

  test('survives kill -9: its worker ends by itself, and the next start has the same data', async () => {
    const env = { COMMANDBUS_HOME: await program.newHome() }
    const first = await startService(program, env)
    const [worker = 0] = first.workers()
    expect(isAlive(worker)).toBe(true)
    first.signal('SIGKILL')
    expect(await first.ended).toBe('SIGKILL')
    const second = await startService(program, env)
    await eventually(
      () => isAlive(worker),
      alive => !alive,
    )
    expect(await readiness(second.url)).toMatchObject({ code: 200 })
    expect(second.log()).toContainEqual(expect.objectContaining({ msg: 'the demo commands are there', sent: 0 }))
    second.signal('SIGTERM')
    expect(await second.ended).toBe(0)
  })

  test('comes back by itself when the database server is killed', async () => {
    const env = { COMMANDBUS_HOME: await program.newHome() }
    const service = await startService(program, env)
    const { pid = 0 } = await embeddedStatus(env.COMMANDBUS_HOME)
    process.kill(pid, 'SIGKILL')
    await eventually(
      () => readiness(service.url),
      ({ code }) => code === 503,
    )
    await eventually(
      () => readiness(service.url),
      ({ code, status }) => code === 200 && status === 'healthy',
    )
    const sent = await program.run(['send', 'demo', 'After', '--data', '{}', '--json'], { env })
    const show = async () => (await program.run(['show', sent.json().commandId, '--json'], { env })).json()
    await eventually(show, ({ status }) => status === 'COMPLETED')
    service.signal('SIGTERM')
    expect(await service.ended).toBe(0)
  })
})

describe('start on a port that is taken', () => {
  test('is refused with a reason, and nothing is started', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const env = { COMMANDBUS_HOME: await program.newHome() }
    const answer = await program.run(['start', '--port', String(port)], { env })
    expect(answer).toMatchObject({ code: 1, stdout: '' })
    expect(answer.stderr).toMatch(
      new RegExp(`^commandbus: port ${port} on 127.0.0.1 is in use by another program: .*--port`),
    )
    expect(await embeddedStatus(env.COMMANDBUS_HOME)).toMatchObject({ running: false })
    other.close()
  })
})
