import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createTestBus } from '../support/bus.ts'
import { lineOf, useProgram } from '../support/servers/cli.ts'
import { eventually, readiness } from '../support/servers/service.ts'

const program = useProgram()

/** Loaded first: it sets another time in this process. */
const shiftedBy = async (hours: number): Promise<string> => {
  const file = join(program.directory, `clock${hours}.mjs`)
  await writeFile(
    file,
    `const Real = Date
     const off = ${hours * 3_600_000}
     globalThis.Date = class Date extends Real {
       constructor(...given) { super(...(given.length === 0 ? [Real.now() + off] : given)) }
       static now() { return Real.now() + off }
     }`,
  )
  return `--import=${pathToFileURL(file).href}`
}

const handlers = async (): Promise<string> => {
  const file = join(program.directory, 'clock-handlers.mjs')
  await writeFile(
    file,
    `import { TransientCommandError } from 'commandbus'
     const at = new Date().toISOString()
     export const handlers = { payments: {
       Read: () => at,
       Last: async ({ ms }) => { await new Promise(done => setTimeout(done, ms)); return 'lasted' },
       Fail: (_, { attempt }) => { if (attempt === 1) throw new TransientCommandError('LATER', 'not now'); return attempt },
       Hang: () => process.env.HANGS === undefined ? 'taken over' : new Promise(() => {}),
     } }`,
  )
  return file
}

describe.each([
  ['an hour ahead', 1],
  ['an hour behind', -1],
])('a worker whose clock is %s', (_, hours) => {
  test('R22: a worker uses the clock of the database for leases, waits, health and messages', async () => {
    const { bus, database, until } = await createTestBus()
    const args = ['worker', '--handlers', await handlers(), '--lease', '2', '--port', '0']
    const start = async (env: { readonly [name: string]: string }): Promise<[ChildProcess, string]> => {
      const worker = program.launch(args, { env: { DATABASE_URL: database.url, ...env } })
      const line = await lineOf(worker, 'stdout', text => text.startsWith('Working'))
      return [worker, /at (http:\S+)\. /.exec(line)?.[1] ?? '']
    }
    const completed = (commandId: string) =>
      until(
        () => bus.getCommand('payments', commandId),
        command => command?.status === 'COMPLETED',
      )
    const send = async (type: string, data = {}, options = {}) =>
      (await bus.send('payments', type, data, options)).commandId

    const [shifted, url] = await start({ NODE_OPTIONS: await shiftedBy(hours), HANGS: '1' })
    const seen = (await completed(await send('Read')))?.result
    expect(Math.round((Date.parse(String(seen)) - Date.now()) / 3_600_000)).toBe(hours)
    const hang = await send('Hang')
    await until(
      () => bus.getCommand('payments', hang),
      command => command?.status === 'IN_PROGRESS',
    )
    // from here on another worker, with the right clock, would take every message whose lease seems to have ended
    const [right] = await start({})
    const [long, failing] = await Promise.all([send('Last', { ms: 5_000 }), send('Fail', {}, { backoffSeconds: [1] })])
    expect(await completed(failing)).toMatchObject({ result: 2, totalAttempts: 2 })
    expect(await completed(long)).toMatchObject({ result: 'lasted', totalAttempts: 1 })
    expect(await bus.getCommand('payments', hang)).toMatchObject({ status: 'IN_PROGRESS', totalAttempts: 1 })
    expect(
      await eventually(
        () => readiness(url),
        ({ status }) => status === 'healthy',
      ),
    ).toMatchObject({ code: 200 })

    // its lease ends at the right time, not an hour later
    shifted.kill('SIGKILL')
    await once(shifted, 'exit')
    expect(await completed(hang)).toMatchObject({ result: 'taken over', totalAttempts: 2 })
    expect((await bus.maintenance.verifyLog()).findings).toEqual([])
    right.kill('SIGTERM')
    expect(await once(right, 'exit')).toEqual([0, null])
  })

  test('R22: the archive uses the clock of the database to decide what is old', async () => {
    const { bus, database, work, until } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Read', null)
    await work({ domain: 'payments', handlers: { Read: () => 1 } })
    await until(
      () => bus.getCommand('payments', commandId),
      command => command?.status === 'COMPLETED',
    )
    const archive = [
      'archive',
      '--older-than',
      '30m',
      '--to',
      join(program.directory, 'archive'),
      '--dry-run',
      '--json',
    ]
    const run = await program.run(archive, {
      env: { DATABASE_URL: database.url, NODE_OPTIONS: await shiftedBy(hours) },
    })
    expect(JSON.parse(run.stdout)).toMatchObject({ streams: 0 })
  })
})
