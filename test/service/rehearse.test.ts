import { expect, test } from 'vitest'
import { parkedDemoCommand } from '../../src/infrastructure/demo/index.ts'
import { createTestDatabase } from '../support/database.ts'
import { fingerprint } from '../support/fingerprint.ts'
import { useProgram } from '../support/servers/cli.ts'
import { eventually, isAlive, readiness, startService } from '../support/servers/service.ts'

const program = useProgram()

test('the demo rehearses over HTTP; a handler that crashes or hangs ends neither the service nor a worker', async () => {
  const database = await createTestDatabase()
  const secret = 'a secret of this test only, long enough to sign with'
  const env = { DATABASE_URL: database.url, COMMANDBUS_JWT_SECRET: secret, COMMANDBUS_HOME: await program.newHome() }
  const service = await startService(program, env)
  const token = (await program.run(['token', '--sub', 'jane', '--roles', 'OPERATOR'], { env })).stdout.trim()
  const rehearse = async (body: object) => {
    const response = await fetch(`${service.url}/api/v1/domains/demo/commands/${parkedDemoCommand}/rehearse`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return (await response.json()) as { readonly [name: string]: unknown }
  }
  const statusOfDemo = async () =>
    (await database.pool.query('select status from command_bus_command where command_id = $1', [parkedDemoCommand]))
      .rows[0]?.status
  await eventually(statusOfDemo, status => status === 'IN_TROUBLESHOOTING_QUEUE')
  // the service works on by itself until the demo is through and the log is sealed
  const unsettled = async () =>
    (
      await database.pool.query(
        `select (select count(*)::int from command_bus_command where status in ('PENDING', 'IN_PROGRESS'))
          + (select count(*)::int from command_bus_event e
             where (e.xid, e.position) > (select s.xid, s.position from command_bus_seal s order by number desc limit 1))
          as count`,
      )
    ).rows[0].count
  await eventually(unsettled, count => count === 0)
  const before = await fingerprint(database.pool)
  expect(await rehearse({})).toMatchObject({ outcome: 'SUCCESS', result: { ok: true }, wouldBe: 'COMPLETED' })
  expect(await rehearse({ data: { behavior: { crash: true } } })).toMatchObject({
    outcome: 'CRASHED',
    rolledBack: true,
  })
  expect(await rehearse({ data: { behavior: { durationMs: 60_000 } }, timeoutMs: 100 })).toMatchObject({
    outcome: 'TIMEOUT',
  })
  expect(await rehearse({ data: { behavior: { permanent: true, errorCode: 'CLOSED' } } })).toMatchObject({
    outcome: 'PERMANENT',
    error: { code: 'CLOSED' },
    wouldBe: 'IN_TROUBLESHOOTING_QUEUE',
  })
  expect(await fingerprint(database.pool)).toEqual(before)
  expect(service.workers()).toHaveLength(1)
  expect(isAlive(service.pid)).toBe(true)
  expect(await readiness(service.url)).toMatchObject({ code: 200 })
  service.signal('SIGTERM')
  expect(await service.ended).toBe(0)
  await database.drop()
})
