import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('R6: `tsq end-attempt` parks a command whose handler never ends', async () => {
  const { bus, database, work, until } = await createTestBus()
  const on = { env: { DATABASE_URL: database.url } }
  let end = (): void => {}
  const handle = () =>
    new Promise<void>(resolve => {
      end = resolve
    })
  await work({ domain: 'payments', leaseSeconds: 1, handlers: { Hang: handle } })
  const { commandId } = await bus.send('payments', 'Hang', {})
  const run = (...flags: string[]) => program.run(['tsq', 'end-attempt', commandId, ...flags], on)

  expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining('--reason') })
  await until(
    () => bus.getCommand('payments', commandId),
    found => found?.status === 'IN_PROGRESS',
  )
  const looked = await run('--reason', 'it hangs', '--dry-run')
  expect(looked).toMatchObject({ code: 0, stdout: expect.stringContaining('IN_TROUBLESHOOTING_QUEUE') })
  const ended = await run('--reason', 'it hangs', '--operator', 'jane')
  expect(ended).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`command ${commandId} is IN_TROUBLESHOOTING_QUEUE`),
  })
  const again = await run('--reason', 'it hangs')
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no attempt to end') })
  const audit = await program.run(['audit', commandId, '--event', 'operator_end_attempt', '--json'], on)
  expect(audit.json().items).toMatchObject([{ actor: 'jane', details: { reason: 'it hangs', attempt: 1 } }])
  end()
})
