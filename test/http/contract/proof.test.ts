import { expect, test } from 'vitest'
import { silentLog } from '../../../src/application/ports/log.ts'
import { type BackgroundCheck, createBackgroundCheck } from '../../../src/infrastructure/proof/background-check.ts'
import { createTestApi } from '../../support/http.ts'

test('the last round of the continuous check is shown with its age; its findings only to callers who may see all tenants', async () => {
  let backgroundCheck: BackgroundCheck | undefined
  const api = await createTestApi({ proof: () => backgroundCheck?.stats() ?? null })
  const ask = async (tenant?: string) =>
    (
      await api.request('GET', '/proof', {
        token: await api.token(['AUDITOR', 'ADMIN'], tenant === undefined ? {} : { tenant }),
      })
    ).body
  expect(await ask()).toMatchObject({ checking: false, verdict: 'UNKNOWN', verifiedAt: null, sealLagSeconds: null })

  const { commandId } = await api.bus.send('payments', 'Charge', {}, { tenantId: 't1' })
  const mine = createBackgroundCheck({ pool: api.pool, signer: null, log: silentLog, everyMs: 0 })
  backgroundCheck = mine
  expect(await ask()).toMatchObject({ checking: true, verdict: 'UNKNOWN', verifiedAt: null, verifiedAgeSeconds: null })
  // an open transaction elsewhere on the server holds back what may be read
  await expect
    .poll(
      async () => {
        await mine.turn()
        return (await ask()).sealLagSeconds
      },
      { timeout: 60_000 },
    )
    .toBe(0)
  expect(await ask()).toEqual({
    at: expect.any(String),
    checking: true,
    verdict: 'HOLDS',
    verifiedAt: new Date(mine.stats().verifiedAt ?? 0).toISOString(),
    verifiedAgeSeconds: expect.any(Number),
    roundSince: null,
    findings: 0,
    found: [],
    sealLagSeconds: 0,
    failing: null,
  })

  await api.pool.query(`update command_bus_command set owner_id = 'sk-abcdefghijklmnopqrstuvwxyz123456'`)
  await mine.turn()
  const shown = await ask()
  expect(shown).toMatchObject({
    verdict: 'DOES_NOT_HOLD',
    findings: 1,
    found: [
      {
        kind: 'row',
        stream: `command-payments-${commandId}`,
        column: 'owner_id',
        message: expect.stringContaining('the row says owner_id'),
      },
    ],
  })
  expect(JSON.stringify(shown)).not.toContain('sk-abc')
  expect(await ask('t2')).toMatchObject({ verdict: 'DOES_NOT_HOLD', findings: 1, found: [] })
})
