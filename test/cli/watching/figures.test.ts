import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'
import { countAll } from '../../support/watching/counted-by-hand.ts'

const program = useProgram()

test('O8: types and causes are listed, as a table and as JSON; a range that does not exist is refused', async () => {
  const testBus = await createTestBus()
  const { database, bus, pool } = testBus
  const run = (...args: string[]) => program.run(args, { env: { DATABASE_URL: database.url } })
  expect((await run('types')).stdout).toMatch(/^No commands in this range\.\n\nNo process counts figures: run/)
  await parked(testBus, 'payments', {}, { errorCode: 'CARD_DECLINED' })
  await bus.send('inventory', 'Count', {})
  await countAll(pool)
  const types = (await run('types', '--range', '1h')).stdout
  expect(types).toMatch(/^DOMAIN +TYPE +SENT +FAILURES +WAIT P50 \/ P95 +RUN P50 \/ P95 +WAITING +ERRORS\n/)
  expect(types).toMatch(/\npayments +Charge +1 +100 % .* CARD_DECLINED 1\n/)
  expect(types).toMatch(/\ninventory +Count +1 +1 *\n/)
  const { items, series } = (await run('types', '--domain', 'inventory', '--json')).json()
  expect(items).toMatchObject([{ commandType: 'Count', sent: 1, waiting: 1 }])
  expect(series).toHaveLength(15)
  expect((await run('failures')).stdout).toMatch(/\nCARD_DECLINED +payments +Charge +1 +0 +\+1 +\+1 /)
  expect((await run('failures', '--json')).json()).toMatchObject({ total: 1, items: [{ errorCode: 'CARD_DECLINED' }] })
  expect(await run('types', '--range', '2h')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('15m, 1h, 6h, 24h, 7d'),
  })
})
