import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { PermanentCommandError, TransientCommandError } from '../../../src/index.ts'
import { verifyLanes } from '../../../src/infrastructure/proof/verification/verify-lanes.ts'
import { createTestBus, until } from '../../support/bus.ts'
import { entriesOf } from '../../support/flow/lanes.ts'

/** `LANES_COMMANDS=10000` sends that many. */
const COMMANDS = Number(process.env.LANES_COMMANDS ?? 240)
const LANES = 12

/** What a command does, from its number: some fail once or twice, some are parked. */
const handle = async (data: unknown, { attempt }: { readonly attempt: number }): Promise<null> => {
  const { n } = data as { readonly n: number }
  if (n % 11 === 3 && attempt < 3) throw new TransientCommandError('AGAIN', 'once more')
  if (n % 17 === 5) throw new PermanentCommandError('NEVER', 'an operator decides')
  await delay(n % 3)
  return null
}

test('F8: the log of retries, parks, operators, times of their own and changed widths is in order', async () => {
  const { bus, another, work, pool } = await createTestBus()
  await bus.limits.set('mail', 'bulk', { by: 'type', commandType: 'Bulk', width: 3 })
  await Promise.all([
    bus.lanes.set('mail', 'lane 1', { width: 3 }),
    bus.lanes.set('mail', 'lane 2', { width: 1, onPark: 'pass' }),
    bus.lanes.set('mail', 'lane 3', { width: 2, onPark: 'pass', ratePerSecond: 200 }),
  ])
  const commands = Array.from({ length: COMMANDS }, (_, n) => ({
    commandType: n % 9 === 4 ? 'Bulk' : 'Send',
    data: { n },
    backoffSeconds: [0.02],
    ...(n % 9 === 4 ? {} : { key: `lane ${n % LANES}` }),
    ...(n % 13 === 12 ? { delaySeconds: 0.2 } : {}),
    ...(n % 7 === 2 ? { priority: 'high' as const } : n % 7 === 5 ? { priority: 'low' as const } : {}),
  }))
  const handlers = { Send: handle, Bulk: handle }
  await work({ domain: 'mail', handlers, concurrency: 5 })
  await work({ domain: 'mail', handlers, concurrency: 5 }, another())
  const sending = Array.from({ length: 6 }, (_, part) => commands.filter((__, n) => n % 6 === part))
  const sent = (await Promise.all(sending.map(part => bus.sendBatch('mail', part)))).flat()

  // operators decide on what is parked, and change lanes, until nothing is left
  for (let round = 0; (await entriesOf(pool)).length > 0; round++) {
    if (round === 1) await bus.lanes.set('mail', 'lane 1', { width: 1 })
    if (round === 2) await bus.lanes.set('mail', 'lane 2', { width: 2, onPark: 'hold' })
    const { items } = await bus.troubleshooting.list({ limit: 100 })
    await Promise.all(
      items.map(({ commandId, domain }, i) =>
        i % 3 === 0 && round < 3
          ? bus.troubleshooting.retry(domain, commandId, { operator: 'ann' })
          : bus.troubleshooting.complete(domain, commandId, { operator: 'ann' }),
      ),
    )
    await delay(20)
  }
  await until(
    () => bus.queryCommands({ status: 'PENDING' }),
    ({ items }) => items.length === 0,
  )
  const verified = await verifyLanes(pool)
  expect(verified.findings).toEqual([])
  expect(sent).toHaveLength(COMMANDS)
  expect(verified.begun).toBeGreaterThanOrEqual(COMMANDS)

  // what only the settings allowed is found without them
  const client = await pool.connect()
  try {
    await client.query('set session_replication_role = replica')
    await client.query(`delete from command_bus_event where stream = 'lane-mail/lane 1' or stream = 'limit-mail/bulk'`)
    await client.query('reset session_replication_role')
  } finally {
    client.release()
  }
  const without = await verifyLanes(pool)
  expect(without.findings.some(({ message }) => message.includes(`lane 'lane 1', of width 1, was full`))).toBe(true)
})
