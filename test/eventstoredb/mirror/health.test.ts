import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { busCodec } from '../../../src/infrastructure/codec/workflow-codec.ts'
import type { CatchUpHealth } from '../../../src/infrastructure/eventstoredb/mirror/catch-up-health.ts'
import { until } from '../../support/bus.ts'
import { openLogBus, openParts } from '../../support/eventstoredb/bus.ts'
import { cutClient } from '../../support/eventstoredb/cut-client.ts'

const charge = { commandType: 'Charge', data: {} }
type Process = ReturnType<typeof openLogBus>

const reaches = (process: Process, is: (health: CatchUpHealth) => boolean) =>
  until(async () => process.catchUp.health(), is)

/** Whether health was `healthy` at any time while `over` did not hold. */
const wasEverHealthy = async (process: Process, over: () => boolean): Promise<boolean> => {
  let ever = false
  await until(
    async () => {
      ever ||= process.catchUp.health().status === 'healthy'
    },
    () => over(),
  )
  return ever
}

/** A codec of a version that does not know the event. */
const unable: typeof busCodec = { ...busCodec, decode: stored => busCodec.decode({ ...stored, type: 'Unheard' }) }

test('R22: a follower whose tries all fail is not healthy between them, and healthy again afterwards', async () => {
  const parts = await openParts()
  let tries = 0
  let isBroken = true
  const cut = () => {
    if (!isBroken) return null
    tries++
    return 'before commit' as const
  }
  const process = openLogBus(parts, { newClient: () => cutClient(parts.database.pool, cut) })
  process.catchUp.start()
  await reaches(process, ({ status }) => status === 'healthy')
  await process.send('payments', charge)
  await reaches(process, ({ state }) => state === 'retrying')
  expect(await wasEverHealthy(process, () => tries >= 5)).toBe(false)
  expect(process.catchUp.health().reasons.join()).toMatch(/the log has not been followed for \d+ s: cut/)
  isBroken = false
  expect(await reaches(process, ({ status }) => status === 'healthy')).toMatchObject({
    state: 'following',
    reasons: [],
  })
})

test('R22: a fault that another process got past is over: the stopped process stands by again', async () => {
  const parts = await openParts()
  const old = openLogBus(parts, { codec: unable })
  const commandId = randomUUID()
  await old.send('payments', { ...charge, commandId })
  old.catchUp.start()
  await reaches(old, ({ state }) => state === 'faulted')
  expect(old.catchUp.health()).toMatchObject({ status: 'critical', fault: { revision: 0 } })
  const newer = openLogBus(parts)
  newer.catchUp.start()
  await newer.catchUp.waitFor({ stream: `command-payments-${commandId}`, revision: 0 })
  expect(await reaches(old, ({ status }) => status === 'healthy')).toMatchObject({ state: 'standby', fault: null })
})

test('R22: a follower that is resumed without a repair is never healthy in between', async () => {
  const parts = await openParts()
  const process = openLogBus(parts, { codec: unable })
  await process.send('payments', charge)
  process.catchUp.start()
  await reaches(process, ({ state }) => state === 'faulted')
  let faults = 0
  let before: CatchUpHealth['state'] = 'faulted'
  const isOver = (): boolean => {
    const { state } = process.catchUp.health()
    if (state === 'faulted') {
      if (before !== 'faulted') faults++
      process.catchUp.resume()
    }
    before = state
    return faults >= 3
  }
  expect(await wasEverHealthy(process, isOver)).toBe(false)
})

test('R22: a standby process says when no process follows the log, and when one does again', async () => {
  const parts = await openParts()
  const holder = await parts.database.pool.connect()
  await holder.query(`select pg_advisory_lock(hashtextextended('command_bus_projection commands', 0))`)
  const process = openLogBus(parts)
  process.catchUp.start()
  await reaches(process, ({ state }) => state === 'standby')
  await process.send('payments', charge)
  const late = await reaches(process, ({ lagMs }) => lagMs > 5_000)
  expect(late).toMatchObject({ state: 'standby', status: 'degraded' })
  expect(late.reasons.join()).toMatch(/messages and rows are \d+ s behind the log/)
  holder.release(true)
  await reaches(process, ({ status, state }) => status === 'healthy' && state === 'following')
})

test('R22: a standby process says when the store cannot be reached, and when it can again', async () => {
  const parts = await openParts()
  const [leader, standby] = [openLogBus(parts), openLogBus(parts)]
  leader.catchUp.start()
  await reaches(leader, ({ state }) => state === 'following')
  standby.catchUp.start()
  await reaches(standby, ({ state }) => state === 'standby')
  parts.double.fail()
  parts.double.stop()
  await reaches(leader, ({ status }) => status !== 'healthy')
  await reaches(standby, ({ status }) => status !== 'healthy')
  await parts.double.start()
  parts.double.heal()
  for (const process of [leader, standby]) await reaches(process, ({ status }) => status === 'healthy')
})
