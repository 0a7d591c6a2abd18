import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { createTestBus } from '../support/bus.ts'
import { useProgram } from '../support/servers/cli.ts'
import { compiledModules } from '../support/servers/compiled.ts'
import { eventually, isAlive } from '../support/servers/service.ts'

const program = useProgram()
const begun: number[] = []

afterEach(() => {
  for (const pid of begun.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
})

const compiled = (file: string): string => pathToFileURL(join(compiledModules(), file)).href

const script = async (name: string, text: string): Promise<string> => {
  const file = join(program.directory, name)
  await writeFile(file, text)
  return file
}

const start = (file: string, env: NodeJS.ProcessEnv = {}): ChildProcess =>
  spawn(process.execPath, [file], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })

/** The process ids that a process prints, as JSON. */
const pidsOf = async (parent: ChildProcess): Promise<readonly number[]> => {
  const [line] = await once(parent.stdout as NodeJS.ReadableStream, 'data')
  const pids: readonly number[] = JSON.parse(String(line))
  begun.push(parent.pid as number, ...pids)
  return pids
}

const gone = (pid: number) =>
  eventually(
    () => isAlive(pid),
    alive => !alive,
  )

describe('a child whose parent was killed with SIGKILL', () => {
  const child = (graceMs: number, then: string) => `
    import { dieWithParent } from ${JSON.stringify(compiled('infrastructure/shared/die-with-parent.js'))}
    dieWithParent({ graceMs: ${graceMs}, onGone: () => process.exit(0) })
    process.send('works', () => { ${then} })`
  const parent = (file: string) => `
    import { spawn } from 'node:child_process'
    import { childEnv } from ${JSON.stringify(compiled('infrastructure/shared/die-with-parent.js'))}
    const child = spawn(process.execPath, [${JSON.stringify(file)}], {
      env: childEnv(process.env), stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    child.on('message', () => console.log(JSON.stringify([child.pid])))`

  test.each([
    ['spins, and is given no time', 0, 'for (;;) {}'],
    ['spins, and would be given an hour', 3_600_000, 'for (;;) {}'],
    ['idles, and ends by itself', 3_600_000, 'setInterval(() => {}, 1000)'],
  ])('R19: ends when it %s', async (_, graceMs, then) => {
    const file = await script('orphan.mjs', child(graceMs, then))
    const started = start(await script('orphan-parent.mjs', parent(file)))
    const [pid = 0] = await pidsOf(started)
    expect(isAlive(pid)).toBe(true)
    started.kill('SIGKILL')
    await gone(pid)
  })

  test('R19: ends although the parent was dead before its first check', async () => {
    const past = spawn(process.execPath, ['-e', ''])
    await once(past, 'exit')
    const file = await script(
      'late-orphan.mjs',
      child(0, 'for (;;) {}')
        .replace('process.send', 'Reflect.apply')
        .replace("'works', () => { for (;;) {} }", '() => { for (;;) {} }, null, []'),
    )
    const late = start(file, { COMMANDBUS_PARENT_PID: String(past.pid) })
    begun.push(late.pid as number)
    expect(await once(late, 'exit')).toEqual([null, 'SIGKILL'])
  })
})

test('R19: a supervised worker whose handler spins ends with its service', async () => {
  const setup = await createTestBus()
  const begunFile = join(program.directory, 'begun')
  const handlers = await script(
    'spinning.mjs',
    `
    import { writeFileSync } from 'node:fs'
    export const handlers = { spins: { Spin: async () => { writeFileSync(process.env.BEGUN, ''); for (;;) {} } } }`,
  )
  const service = await script(
    'supervising.mjs',
    `
    import { startSupervisor } from ${JSON.stringify(compiled('infrastructure/service/supervisor.js'))}
    const noted = ({ worker }, text) => { if (text.includes('was started')) console.log(JSON.stringify([worker])) }
    startSupervisor({ command: [${JSON.stringify(program.main)}, 'worker', '--handlers', ${JSON.stringify(handlers)}],
      env: process.env, log: { debug() {}, info: noted, warn() {}, error() {} }, deadlineMs: 1000 })`,
  )
  await setup.bus.send('spins', 'Spin', {})
  const started = start(service, { DATABASE_URL: setup.database.url, LOG_LEVEL: 'warn', BEGUN: begunFile })
  const [worker = 0] = await pidsOf(started)
  await eventually(
    () => existsSync(begunFile),
    begun => begun,
  )
  started.kill('SIGKILL')
  await gone(worker)
})
