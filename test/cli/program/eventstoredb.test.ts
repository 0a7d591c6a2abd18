import { expect, test } from 'vitest'
import { signToken } from '../../../src/infrastructure/http/identity/token.ts'
import { until } from '../../support/bus.ts'
import { openParts, rowsOf } from '../../support/eventstoredb/bus.ts'
import { lineOf, useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

const begin = async () => {
  const parts = await openParts()
  const env = { DATABASE_URL: parts.database.url, EVENTSTORE_URL: parts.double.url }
  return { ...parts, env, run: (...args: string[]) => program.run(args, { env }) }
}

test('with EVENTSTORE_URL the log is in EventStoreDB: commands are sent, handled and shown as usual', async () => {
  const { run, env, double, database } = await begin()
  const sent = await run('send', 'demo', 'Greet', '--data', '{"name": "Ada"}', '--reply-to', 'replies', '--json')
  expect(sent).toMatchObject({ code: 0, stderr: '' })
  const { commandId } = sent.json()
  const [message] = await rowsOf(database.pool, 'select msg_id from pgmq.q_demo__commands')
  expect(sent.json()).toMatchObject({ status: 'PENDING', msgId: message?.msg_id })
  expect(double.log.all.map(({ stream }) => stream)).toEqual([`command-demo-${commandId}`])

  program.launch(['worker', '--demo'], { env })
  const done = async () => (await run('show', commandId, '--json')).json()
  expect(await until(done, ({ status }) => status === 'COMPLETED')).toMatchObject({ commandId })
  expect((await run('audit', commandId, '--json')).json().items.at(-1)).toMatchObject({ eventType: 'COMPLETED' })
})

test('doctor says which store is used, and whether it answers', async () => {
  const { run, double } = await begin()
  const well = await run('doctor', '--json')
  expect(well).toMatchObject({ code: 0, stderr: '' })
  expect(well.json()).toMatchObject({ eventStore: 'eventstoredb', health: { status: 'healthy' } })
  double.fail()
  const away = await run('doctor', '--json')
  expect(away).toMatchObject({ code: 1, stderr: '' })
  expect(away.json()).toMatchObject({
    eventStore: 'eventstoredb',
    health: {
      status: 'critical',
      checks: { eventStore: { status: 'critical', reasons: [expect.stringMatching(/cannot be reached/)] } },
    },
  })
})

test('a database whose log is in one store is refused with the other', async () => {
  const { run, env } = await begin()
  await run('send', 'demo', 'Greet', '--data', '{}')
  const without = await program.run(['list', '--json'], { env: { DATABASE_URL: env.DATABASE_URL } })
  expect(without.code).toBe(1)
  expect(without.json().error.message).toMatch(/set EVENTSTORE_URL/)
})

test('health and metrics of the service show whether the log is followed', async () => {
  const { env, double } = await begin()
  const secret = 'x'.repeat(32)
  const service = program.launch(['start', '--port', '0'], { env: { ...env, COMMANDBUS_JWT_SECRET: secret } })
  const token = await signToken({ secret }, { subject: 'me', tenant: null, roles: ['AUDITOR'] }, 3600)
  const ask = (path: string) => fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })
  const line = await lineOf(service, 'stdout', text => text.startsWith('commandbus runs at '))
  const url = line.slice('commandbus runs at '.length)
  const ready = async () => {
    const response = await ask('/health/ready')
    const { checks } = (await response.json()) as { checks: { eventStore: { status: string; state: string } } }
    return checks.eventStore
  }
  await until(ready, ({ state }) => state === 'following')
  const metrics = async () => (await ask('/metrics')).text()
  expect(await metrics()).toMatch(/^commandbus_log_following 1$/m)
  expect(await metrics()).toMatch(/^commandbus_log_lag_seconds 0$/m)

  double.log.append('command-demo-4f0c2a7e-0000-4000-8000-000000000001', -1, [
    {
      id: '4f0c2a7e-0000-4000-8000-00000000000a',
      type: 'FromTheFuture',
      contentType: 'application/json',
      data: Buffer.from('{}'),
      // as a bus writes it: an event of another program would be skipped
      metadata: Buffer.from(JSON.stringify({ v: 1, at: '2026-01-01T00:00:00.000Z', actor: 'sender', context: {} })),
    },
  ])
  await until(ready, ({ status }) => status === 'critical')
  expect(await ready()).toMatchObject({
    state: 'faulted',
    fault: { stream: 'command-demo-4f0c2a7e-0000-4000-8000-000000000001', revision: 0 },
  })
  // a page is kept for a second
  await until(metrics, page => page.includes('commandbus_log_faulted{'))
  expect(await metrics()).toMatch(
    /^commandbus_log_faulted\{stream="command-demo-4f0c2a7e-0000-4000-8000-000000000001",revision="0"\} 1$/m,
  )
})

test('copy-log moves the log there and back', async () => {
  const { run, env } = await begin()
  const without = { env: { DATABASE_URL: env.DATABASE_URL } }
  await program.run(['send', 'demo', 'Greet', '--data', '{}'], without)
  const there = await run('copy-log', '--from', 'postgres', '--to', 'eventstoredb', '--json')
  expect(there).toMatchObject({ code: 0, stderr: '' })
  expect(there.json()).toEqual({ from: 'postgres', to: 'eventstoredb', events: 1, streams: 1 })
  expect((await run('list', '--json')).json().items).toHaveLength(1)
  const back = await run('copy-log', '--from', 'eventstoredb', '--to', 'postgres')
  expect(back).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Copied and compared: 1 event of 1 command\./) })
  expect((await program.run(['list', '--json'], without)).json().items).toHaveLength(1)
  expect(await run('copy-log', '--from', 'postgres', '--to', 'postgres')).toMatchObject({ code: 2 })
  expect(await program.run(['copy-log', '--from', 'postgres', '--to', 'eventstoredb'], without)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/EVENTSTORE_URL/),
  })
})
