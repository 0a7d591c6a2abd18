import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('F10: `schedules` sets, shows, lists, pauses, resumes, runs and deletes; a wrong cron is refused with its place', async () => {
  const { bus, database } = await createTestBus()
  const run = (...args: readonly string[]) =>
    program.run(['schedules', ...args], { env: { DATABASE_URL: database.url } })
  const set = ['set', 'sales.nightly', '--domain', 'reports', '--type', 'Nightly', '--data', '{"kind": "sales"}']
  expect(await run(...set, '--cron', '61 2 * * *')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("cron: '61' in field 1 (minute) is not valid"),
  })
  expect(await run(...set, '--cron', '30 2 * * *', '--every', '60')).toMatchObject({ code: 2 })
  const made = await run(...set, '--cron', '30 2 * * *', '--time-zone', 'Europe/Berlin', '--operator', 'ann')
  expect(made).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/When +30 2 \* \* \* \(Europe\/Berlin\)[\s\S]*Created +.* by ann[\s\S]*Next +\d{4}-/),
  })
  expect((await run('list')).stdout).toMatch(
    /sales\.nightly +ACTIVE +30 2 \* \* \* \(Europe\/Berlin\) +\d{4}-.* reports Nightly/,
  )
  expect((await run('pause', 'sales.nightly', '--reason', 'month end')).stdout).toBe(
    'Schedule sales.nightly is paused.\n',
  )
  expect((await run('show', 'sales.nightly', '--json')).json()).toMatchObject({
    status: 'PAUSED',
    pauseReason: 'month end',
  })
  expect((await run('resume', 'sales.nightly')).stdout).toMatch(/goes on; its next time is \d{4}-/)
  const sent = (await run('run', 'sales.nightly', '--operator', 'ann', '--json')).json()
  expect(await bus.getCommand('reports', String(sent.commandId))).toMatchObject({
    causationId: 'sales.nightly run now',
  })
  expect((await run('delete', 'sales.nightly')).stdout).toBe('Schedule sales.nightly is deleted.\n')
  expect((await run('list')).stdout).toBe('No schedules.\n')
  expect(await run('show', 'sales.nightly')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no schedule 'sales.nightly'"),
  })
})
