import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('F4: `pause`, `pauses --at` and `resume` at the command line', async () => {
  const { bus, database } = await createTestBus()
  const run = (...args: string[]) => program.run(args, { env: { DATABASE_URL: database.url } })
  const before = new Date().toISOString()
  expect(
    await run('pause', 'mail', '--type', 'Send', '--reason', 'the provider is down', '--operator', 'ann'),
  ).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Paused\. To end it: commandbus resume [0-9a-f-]{36}\n$/),
  })
  const [pause] = await bus.pauses()
  expect(pause).toMatchObject({ domain: 'mail', commandType: 'Send', pausedBy: 'ann' })
  const listed = await run('pauses')
  expect(listed.stdout).toMatch(/the provider is down/)
  expect(listed.stdout).toMatch(/ann/)
  expect((await run('pauses', '--at', before)).stdout).toBe('Nothing is paused.\n')
  expect(await run('pause', 'mail', '--type', 'Send', '--reason', 'x')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is paused already, by'),
  })
  expect(await run('pause', 'mail', '--reason', 'x', '--until', 'soon')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--until'),
  })
  expect(await run('resume', pause?.pauseId as string, '--operator', 'bob')).toMatchObject({
    code: 0,
    stdout: 'Resumed by bob.\n',
  })
  expect((await run('pauses', '--json')).json().items).toEqual([])
})
