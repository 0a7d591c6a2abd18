import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { silentLog } from '../../src/application/ports/log.ts'
import { createBackgroundCheck } from '../../src/infrastructure/proof/background-check.ts'
import { sealEvents, sealHead } from '../../src/infrastructure/proof/chain/seals.ts'
import { verifyLog } from '../../src/infrastructure/proof/verification/verify.ts'
import { createMetrics } from '../../src/infrastructure/telemetry/metrics.ts'
import { createTestBus } from '../support/bus.ts'
import { writeHistory } from '../support/lives/history.ts'
import { settled } from '../support/settled.ts'

describe('the background check of the proof', () => {
  test('seals new events, checks the log in rounds, and shows in health and metrics what does not match', async () => {
    const { pool } = await createTestBus()
    await writeHistory({ pool, commands: 90 })
    const kept: string[] = []
    const backgroundCheck = createBackgroundCheck({
      pool,
      signer: null,
      log: silentLog,
      everyMs: 0,
      slice: 40,
      onSealed: async (_, { number }) => void kept.push(number),
    })
    const metrics = createMetrics({ proof: backgroundCheck.stats })
    expect(await metrics.page()).toContain('commandbus_proof_findings 0')
    const round = async () => {
      const before = backgroundCheck.stats().verifiedAt
      let turns = 0
      do {
        await backgroundCheck.turn()
        turns++
      } while (backgroundCheck.stats().verifiedAt === before && turns < 20)
      return turns
    }
    expect(await round()).toBeGreaterThan(2)
    expect(kept.at(-1)).toBe('1')
    expect(backgroundCheck.stats()).toMatchObject({ findings: 0, first: null, sealLagSeconds: 0, failing: null })
    expect(backgroundCheck.health()).toEqual({ status: 'healthy', reasons: [] })

    await pool.query(
      `update command_bus_command set owner_id = 'mine' where ctid in (select ctid from command_bus_command limit 1)`,
    )
    await round()
    expect(backgroundCheck.stats()).toMatchObject({
      findings: 1,
      first: {
        kind: 'row',
        column: 'owner_id',
        stream: expect.stringMatching(/^command-shop-/),
        message: expect.stringContaining('the row says owner_id "mine"'),
      },
    })
    expect(backgroundCheck.health()).toEqual({
      status: 'degraded',
      // only callers who may see the whole log get the finding itself
      reasons: ['1 thing does not fit the log; run `commandbus verify`'],
    })
    expect(await metrics.page()).toMatch(
      /commandbus_proof_findings 1\n[\s\S]*commandbus_proof_verified_timestamp_seconds 1/,
    )
    await pool.query(`update command_bus_command set owner_id = null where owner_id = 'mine'`)
    await round()
    expect(backgroundCheck.health()).toEqual({ status: 'healthy', reasons: [] })
  })

  test('many at once make one chain; events that an open transaction holds back are sealed later', async () => {
    const { pool, bus } = await createTestBus()
    const open = await pool.connect()
    await open.query('begin')
    await bus.send('shop', 'Charge', {}, { client: open })
    for (let i = 0; i < 5; i++) await bus.send('shop', 'Charge', {})
    const rounds = await Promise.all(Array.from({ length: 8 }, () => sealEvents(pool, { signer: null, batch: 2 })))
    expect(rounds.flat()).toEqual([])
    await open.query('commit')
    open.release()
    for (let i = 0; i < 5; i++) {
      await Promise.all([
        ...Array.from({ length: 4 }, () => sealEvents(pool, { signer: null, batch: 2 })),
        bus.send('shop', 'Charge', {}),
      ])
    }
    await settled(pool)
    await sealEvents(pool, { signer: null, batch: 2 })
    const verified = await verifyLog(pool)
    expect(verified).toMatchObject({ findings: [], events: 11, unsealed: 0 })
    const { rows } = await pool.query('select sum(events)::int as events from command_bus_seal')
    expect(rows[0].events).toBe(11)
    expect((await sealHead(pool as never)).number).toBe(verified.head.number)
  })

  test('the log refuses to delete events and seals', async () => {
    const { pool, bus } = await createTestBus()
    await bus.send('shop', 'Charge', {}, { commandId: randomUUID() })
    await sealEvents(pool, { signer: null })
    for (const statement of [
      'delete from command_bus_seal',
      `update command_bus_seal set about = '{}'`,
      'truncate command_bus_seal',
      'delete from command_bus_event',
      'delete from command_bus_archived_stream',
    ]) {
      await expect(pool.query(statement)).rejects.toThrow(/append-only/)
    }
  })
})
