import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { createTestBus } from '../support/bus.ts'
import { lineOf, useProgram } from '../support/servers/cli.ts'
import { eventually, readiness, startService } from '../support/servers/service.ts'

const program = useProgram()
let dockerfile: string
let compose: string

const repositoryFile = (name: string) => readFile(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8')

beforeAll(async () => {
  dockerfile = await repositoryFile('Dockerfile')
  compose = await repositoryFile('docker-compose.yml')
})

/** The command of an instruction of the image's last stage, in its JSON form. */
const commandOf = (instruction: string): readonly string[] => {
  const text =
    dockerfile
      .split(/^FROM /m)
      .at(-1)
      ?.replace(/\\\n\s*/g, '') ?? ''
  const [, list = '[]'] = new RegExp(`^${instruction}\\b[^[\\n]*(\\[.*\\])$`, 'm').exec(text) ?? []
  return JSON.parse(list)
}

const imageEnv = (): { readonly [name: string]: string } =>
  Object.fromEntries(
    [...dockerfile.matchAll(/^ENV (.+)$/gm)].flatMap(([, pairs = '']) => pairs.split(' ').map(pair => pair.split('='))),
  )

/** Services of the compose file that run the image, as the lines below their names. */
const ownServices = (): readonly string[] => {
  const [, services = ''] = /^services:\n([\s\S]*?)^volumes:/m.exec(compose) ?? []
  return services.split(/^ {2}(?=\w+:\n)/m).filter(text => /^ {4}build: \.$/m.test(text))
}

/** What the health check of the image says in a container whose process listens at the port. */
const judged = async (port: string): Promise<number> => {
  const [command = '', ...args] = commandOf('HEALTHCHECK')
  expect(command).toBe('node')
  const check = spawn(process.execPath, args, { cwd: program.directory, env: { ...imageEnv(), PORT: port } })
  const [code] = await once(check, 'exit')
  return code
}

describe("the image's health check", () => {
  test('R18: succeeds for a healthy service, and fails for one that has ended', async () => {
    const { database } = await createTestBus()
    const service = await startService(program, { DATABASE_URL: database.url }, [])
    await eventually(
      () => readiness(service.url),
      ({ code }) => code === 200,
    )
    const { port } = new URL(service.url)
    expect(await judged(port)).toBe(0)
    service.signal('SIGTERM')
    await service.ended
    expect(await judged(port)).toBe(1)
  })

  test('R18: succeeds for a healthy worker, and fails for one that is stopping or has ended', async () => {
    const { bus, database, until } = await createTestBus()
    const worker = program.launch(['worker', '--demo', '--domain', 'demo'], {
      env: { DATABASE_URL: database.url, PORT: '0' },
    })
    const line = await lineOf(worker, 'stdout', text => text.startsWith('Working'))
    const port = /at http:\/\/127\.0\.0\.1:(\d+)\. /.exec(line)?.[1] ?? ''
    await eventually(
      () => judged(port),
      code => code === 0,
    )
    const { commandId } = await bus.send('demo', 'Slow', { behavior: { durationMs: 60_000 } })
    await until(
      () => bus.getCommand('demo', commandId),
      command => command?.status === 'IN_PROGRESS',
    )
    worker.kill('SIGTERM')
    await lineOf(worker, 'stderr', text => text.includes('"stopping"'))
    expect(await judged(port)).toBe(1)
    worker.kill('SIGKILL')
    await once(worker, 'exit')
    expect(await judged(port)).toBe(1)
  })

  test('R18: calls the port on which each process of the image listens, also in compose', () => {
    expect(commandOf('ENTRYPOINT')).toEqual(['node', 'dist/main.js'])
    expect(commandOf('HEALTHCHECK')).toEqual(['node', 'dist/main.js', 'health'])
    expect(imageEnv().PORT).toBe('4000')
    const services = ownServices()
    expect(services.map(text => /^\w+/.exec(text)?.[0])).toEqual(['commandbus', 'worker'])
    for (const text of services) {
      expect(text).not.toContain('healthcheck:')
      // the process would see a flag, and its health check would not
      expect(text).not.toContain('--port')
      expect(/^ {6}PORT: "(\d+)"$/m.exec(text)?.[1]).toBe('4000')
    }
  })
})
