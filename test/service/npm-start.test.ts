import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { embeddedStatus } from '../../src/infrastructure/postgres/embedded/index.ts'
import { collect, useProgram } from '../support/servers/cli.ts'
import { eventually, isAlive, readiness } from '../support/servers/service.ts'

const program = useProgram()
const left: (() => void)[] = []
afterEach(() => {
  for (const kill of left.splice(0)) kill()
})

/** `npm start` in the package, as an installed one: there is nothing to compile. */
const npmStart = async (home: string) => {
  const scripts = join(program.directory, 'scripts')
  await mkdir(scripts, { recursive: true })
  await copyFile(join(import.meta.dirname, '../../scripts/build-if-needed.mjs'), join(scripts, 'build-if-needed.mjs'))
  const npm = spawn('npm', ['start', '--silent', '--', '--port', '0', '--json'], {
    cwd: program.directory,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, COMMANDBUS_HOME: home },
  })
  const output = collect(npm)
  left.push(() => npm.kill('SIGKILL'))
  const told = await eventually(
    () => /\{[^}]*\}/.exec(output.stdout)?.[0],
    text => text !== undefined || npm.exitCode !== null,
  )
  if (told === undefined) throw new Error(`npm start failed: ${output.stderr}`)
  const { url, pid } = JSON.parse(told)
  left.push(() => isAlive(pid) && process.kill(pid, 'SIGKILL'))
  return { npm, url: String(url), pid: Number(pid) }
}

describe('npm start', () => {
  test('runs the demo, passes on what follows --, and ends with npm', async () => {
    const home = await program.newHome()
    const { npm, url, pid } = await npmStart(home)
    expect(await readiness(url)).toMatchObject({ code: 200, status: 'healthy' })
    const ended = once(npm, 'exit')
    npm.kill('SIGTERM')
    await ended
    await eventually(
      () => isAlive(pid),
      alive => !alive,
    )
    expect(await embeddedStatus(home)).toMatchObject({ running: false, users: [] })
  })

  test('leaves no service behind when npm is killed, and starts again at once', async () => {
    const home = await program.newHome()
    const first = await npmStart(home)
    first.npm.kill('SIGKILL')
    const second = await npmStart(home)
    await eventually(
      () => isAlive(first.pid),
      alive => !alive,
    )
    expect(await readiness(second.url)).toMatchObject({ code: 200 })
    second.npm.kill('SIGTERM')
    await eventually(
      () => isAlive(second.pid),
      alive => !alive,
    )
    expect(await embeddedStatus(home)).toMatchObject({ running: false, users: [] })
  })
})
