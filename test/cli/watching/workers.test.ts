import { once } from 'node:events'
import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { collect, useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('O8: `workers`, `status`, the note of `send` and `doctor` say who works, and for what there is nobody', async () => {
  const { bus, database, work, until } = await createTestBus()
  const run = (...args: string[]) => program.run(args, { env: { DATABASE_URL: database.url } })
  expect(await run('workers')).toMatchObject({ code: 0, stdout: 'No worker was heard of within the last hour.\n' })
  const sent = await run('send', 'nowhere', 'Greet', '--data', '{}')
  expect(sent).toMatchObject({
    code: 0,
    stderr: 'No worker for Greet in nowhere: it waits until one starts.\n',
    stdout: expect.stringMatching(/^Sent Greet to nowhere/),
  })
  expect(await run('send', 'nowhere', 'Greet', '--data', '{}', '--json')).toMatchObject({ code: 0, stderr: '' })
  await work({ domain: 'mail', workerId: 'w', build: 'b1', handlers: { Send: async () => null } })
  await until(
    () => bus.workers.list(),
    found => found.length === 1,
  )
  expect(await run('send', 'mail', 'Send', '--data', '{}')).toMatchObject({ code: 0, stderr: '' })

  const listed = await run('workers')
  expect(listed.stdout).toMatch(/WORKER +DOMAIN +STATUS .*\nw +mail +live .* b1 +0\/10 .* Send/)
  expect(listed.stdout).toMatch(/No worker for nowhere: 2 pending, oldest \d+ s\n$/)
  expect((await run('workers', '--json', '--domain', 'mail')).json()).toMatchObject({
    items: [{ workerId: 'worker:w' }],
    missing: [],
  })

  const status = await run('status')
  expect(status.code).toBe(0)
  expect(status.stdout).toMatch(
    /^\d problems?: no worker for nowhere since [^;]+ \(2 wait, rises\).*\n\nHealth: degraded, 1 problem: No worker for nowhere: 2 pending, oldest \d+ s\n/,
  )
  expect(status.stdout).toMatch(/\nnowhere +2 +0/)
  expect(status.stdout).toMatch(/\nnowhere__commands +2 +2/)
  expect(status.stdout).toMatch(/\nw +mail +live/)
  expect((await run('status', '--json')).json()).toMatchObject({
    total: { PENDING: 2 },
    workers: [{ domain: 'mail' }],
    missing: [{ domain: 'nowhere', pending: 2 }],
    health: { status: 'degraded' },
  })
  expect(await run('status', '--watch', '0')).toMatchObject({ code: 2, stderr: expect.stringContaining('--watch') })
  const doctor = await run('doctor')
  expect(doctor).toMatchObject({ code: 0, stdout: expect.stringMatching(/No worker for nowhere: 2 pending/) })
})

test('O8: `status --watch` shows the counts again and again, as they change, until it is interrupted', async () => {
  const { bus, database, until } = await createTestBus()
  await bus.send('mail', 'Send', {})
  const child = program.launch(['status', '--watch', '1'], { env: { DATABASE_URL: database.url } })
  const output = collect(child)
  await until(
    async () => output.stdout,
    text => /\nmail +1 /.test(text),
  )
  await bus.send('mail', 'Send', {})
  await until(
    async () => output.stdout,
    text => /\nmail +2 /.test(text),
  )
  expect(output.stdout.match(/^Health: degraded/gm)?.length).toBeGreaterThan(1)
  expect(output.stdout).not.toContain('\u001b')
  child.kill('SIGINT')
  const [code] = await once(child, 'exit')
  expect([code, output.stderr.trim().split('\n').length <= 1]).toEqual([130, true])
})
