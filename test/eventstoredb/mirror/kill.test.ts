import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { until } from '../../support/bus.ts'
import { closeAfterTest, openLogBus, openParts, rowsOf } from '../../support/eventstoredb/bus.ts'
import { compiledModules } from '../../support/servers/compiled.ts'

const script = fileURLToPath(new URL('./follower-child.mjs', import.meta.url))

const spawnFollower = async (databaseUrl: string, eventStoreUrl: string): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [script, compiledModules(), databaseUrl, eventStoreUrl], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  closeAfterTest(() => void child.kill('SIGKILL'))
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
  return child
}

test('kill -9 of the follower at any moment: the next one goes on, every command is dispatched once', async () => {
  const parts = await openParts()
  const { pool, url } = parts.database
  const bus = openLogBus(parts)
  const ids = Array.from({ length: 400 }, () => randomUUID())
  for (const commandId of ids.slice(0, 300)) {
    await bus.send('payments', { commandType: 'Charge', data: {}, commandId })
  }
  const rows = () => rowsOf(pool, 'select 1 from command_bus_command')
  for (let killed = 0, before = 0; killed < 4; killed++) {
    const follower = await spawnFollower(url, parts.double.url)
    before = (await until(rows, found => found.length > before)).length
    const gone = once(follower, 'exit')
    follower.kill('SIGKILL')
    await gone
  }
  const last = await spawnFollower(url, parts.double.url)
  for (const commandId of ids.slice(300)) {
    await bus.send('payments', { commandType: 'Charge', data: {}, commandId })
  }
  await until(rows, found => found.length === ids.length)
  const sent = await rowsOf(pool, `select message->>'command_id' as id from pgmq.q_payments__commands`)
  expect(sent.map(({ id }) => id).sort()).toEqual([...ids].sort())
  const gone = once(last, 'exit')
  last.stdin?.end()
  expect(await gone).toEqual([0, null])
})
