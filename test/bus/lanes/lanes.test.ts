import { expect, test } from 'vitest'
import { createTestBus, until } from '../../support/bus.ts'

test('F5: commands of one key run one after the other, in the order of sending', async () => {
  const { bus, work, pool } = await createTestBus()
  const began: number[] = []
  let running = 0
  await work({
    domain: 'mail',
    concurrency: 10,
    handlers: {
      Send: async (data: unknown) => {
        running++
        expect(running).toBe(1)
        began.push((data as { n: number }).n)
        await new Promise(resolve => setImmediate(resolve))
        running--
      },
    },
  })
  await bus.sendBatch(
    'mail',
    Array.from({ length: 30 }, (_, n) => ({ commandType: 'Send', data: { n }, key: 'a' })),
  )
  await until(async () => began.length, n => n === 30)
  expect(began).toEqual(Array.from({ length: 30 }, (_, n) => n))
  await until(
    async () => Number((await pool.query('select count(*) from command_bus_lane_entry')).rows[0].count),
    n => n === 0,
  )
})
