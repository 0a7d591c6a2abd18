import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('F1: commands are sent for later, listed, moved and run at once at the command line', async () => {
  const { bus, database } = await createTestBus()
  const env = { DATABASE_URL: database.url }
  const run = (...args: string[]) => program.run(args, { env })
  const sent = await run('send', 'mail', 'Post', '--data', '1', '--run-at', '2h', '--priority', 'high', '--json')
  const { commandId } = sent.json() as unknown as { readonly commandId: string }
  await bus.send('mail', 'Post', 2)
  const listed = await run('list', '--scheduled')
  expect(listed.stdout).toContain('RUNS AT')
  expect(listed.stdout.match(/PENDING/g)).toHaveLength(1)
  expect((await run('show', commandId)).stdout).toMatch(/Priority +high\n.*Not before +\d{4}/)
  const before = Date.now()
  const moved = await run('reschedule', commandId, '--run-at', '3h', '--json')
  const { runAt } = moved.json() as unknown as { readonly runAt: string }
  expect(Date.parse(runAt)).toBeGreaterThanOrEqual(before + 3 * 3_600_000)
  expect(await run('reschedule', commandId, '--now')).toMatchObject({
    code: 0,
    stdout: `Command ${commandId} runs now.\n`,
  })
  expect((await run('list', '--scheduled', '--json')).json()).toMatchObject({ items: [] })
  await bus.cancel('mail', commandId)
  const refused = await run('reschedule', commandId, '--now')
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain('is CANCELED: it can be put off or run earlier only before a worker begins it')
  expect((await run('reschedule', commandId)).stderr).toContain('say when they are to run')
  expect((await run('queues', 'create', '--domain', 'shop', '--priority', 'low', '--json')).json()).toMatchObject({
    items: [{ queue: 'shop__commands' }, { queue: 'shop__commands__low' }],
  })
})
