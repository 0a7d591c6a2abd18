import { expect, test } from 'vitest'
import { createTestBus } from '../support/bus.ts'
import { useProgram } from '../support/servers/cli.ts'
import { eventually, readiness, startService } from '../support/servers/service.ts'

const program = useProgram()

test('A27: a command that kills its worker every time is parked; the service stays up and the next worker goes on', async () => {
  const { bus, database, until } = await createTestBus()
  const service = await startService(program, { DATABASE_URL: database.url })
  const { commandId } = await bus.send('demo', 'Boom', { behavior: { crash: true } }, { maxAttempts: 1 })
  await eventually(
    () => service.workers().length,
    count => count >= 2,
  )
  await eventually(
    () => readiness(service.url),
    ({ code }) => code === 200,
  )
  const other = await bus.send('demo', 'Fine', {})
  await until(
    () => bus.getCommand('demo', other.commandId),
    command => command?.status === 'COMPLETED',
  )
  const parked = await until(
    () => bus.getCommand('demo', commandId),
    command => command?.parkedAt !== null,
  )
  expect(parked).toMatchObject({ status: 'IN_TROUBLESHOOTING_QUEUE', parkedReason: 'LEASE_LOST', totalAttempts: 1 })
  expect(await (await fetch(`${service.url}/health/live`)).json()).toMatchObject({ pid: service.pid })
  service.signal('SIGTERM')
  expect(await service.ended).toBe(0)
})
