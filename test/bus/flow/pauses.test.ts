import { describe, expect, test } from 'vitest'
import { AlreadyPausedError, ForbiddenError, InvalidInputError, PauseNotFoundError } from '../../../src/index.ts'
import { createTestBus } from '../../support/bus.ts'

const soon = (ms: number): string => new Date(Date.now() + ms).toISOString()
const YEAR_MS = 366 * 24 * 60 * 60 * 1000

describe('what is paused, and by whom', () => {
  test('F4: a pause and its end are events, seen at any instant, and the table is rebuilt from them', async () => {
    const { bus, pool } = await createTestBus()
    const before = new Date().toISOString()
    const paused = await bus.pause({ domain: 'mail', reason: 'the provider is down', operator: 'ann' })
    const ofTenant = await bus.pause({ domain: 'mail', tenantId: 'acme', reason: 'unpaid', until: soon(60_000) })
    expect(paused).toMatchObject({ domain: 'mail', commandType: null, tenantId: null, pausedBy: 'ann', until: null })
    expect((await bus.pauses()).map(one => one.pauseId).sort()).toEqual([paused.pauseId, ofTenant.pauseId].sort())
    expect(await bus.pauses({ domain: 'other' })).toEqual([])
    const during = new Date(Date.now() + 1).toISOString()
    await new Promise(resolve => setTimeout(resolve, 5))

    const resumed = await bus.resume(paused.pauseId, { operator: 'bob' })
    expect(resumed).toMatchObject({ ...paused, resumedBy: 'bob', resumedAt: expect.any(String) })
    expect(await bus.pauses()).toEqual([ofTenant])
    expect(await bus.pauses({ at: before })).toEqual([])
    expect((await bus.pauses({ at: during })).map(({ reason }) => reason).sort()).toEqual([
      'the provider is down',
      'unpaid',
    ])
    // one that has run out is over at an instant after that, without an event
    expect(await bus.pauses({ at: soon(120_000) })).toEqual([])

    const rows = async () => (await pool.query('select * from command_bus_pause order by pause_id')).rows
    const kept = await rows()
    await pool.query(`update command_bus_pause set reason = 'tampered' where pause_id = $1`, [paused.pauseId])
    expect(await bus.maintenance.verify()).toMatchObject([{ stream: `pause-${paused.pauseId}`, column: 'reason' }])
    await bus.maintenance.rebuild()
    expect(await rows()).toEqual(kept)
    expect(await bus.maintenance.verify()).toEqual([])
  })

  test('F4: of twenty pauses of the same at once one is made, and the others name it', async () => {
    const { bus, another, pool } = await createTestBus()
    const buses = [bus, another(), another()]
    const tried = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        (buses[i % 3] as typeof bus).pause({ domain: 'mail', commandType: 'Send', reason: `try ${i}` }),
      ),
    )
    const made = tried.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))
    expect(made).toHaveLength(1)
    const refused = tried.flatMap(one => (one.status === 'rejected' ? [one.reason] : []))
    expect(refused.every(error => error instanceof AlreadyPausedError)).toBe(true)
    expect(new Set(refused.map(error => error.pauseId))).toEqual(new Set([made[0]?.pauseId]))
    expect(refused[0].message).toMatch(/domain 'mail', type 'Send' is paused already, by 'operator' since .*: resume/)
    const { rows } = await pool.query(`select count(*)::int as n from command_bus_event where type = 'FlowPaused'`)
    expect(rows).toEqual([{ n: 1 }])
    // a narrower or a wider one is another pause
    await bus.pause({ domain: 'mail', reason: 'all of it' })
    await bus.pause({ domain: 'mail', commandType: 'Send', tenantId: 'acme', reason: 'one of it' })
    expect(await bus.pauses()).toHaveLength(3)
  })

  test('F4: what has ended can be paused again, and is resumed only once', async () => {
    let hours = 0
    const clock = { now: () => new Date(Date.now() + hours * 3_600_000), random: Math.random }
    const { bus } = await createTestBus({ clock })
    const first = await bus.pause({ domain: 'mail', reason: 'one', until: soon(3_600_000) })
    hours = 2
    expect(await bus.resume(first.pauseId)).toMatchObject({ resumedAt: null })
    const second = await bus.pause({ domain: 'mail', reason: 'two' })
    expect(second.pauseId).toBe(first.pauseId)
    const ended = await bus.resume(second.pauseId, { operator: 'ann' })
    expect(await bus.resume(second.pauseId, { operator: 'bob' })).toEqual(ended)
    await expect(bus.resume('00000000-0000-4000-8000-000000000001')).rejects.toThrow(PauseNotFoundError)
  })

  test('F4: wrong input is one sentence, and nothing is paused', async () => {
    const { bus } = await createTestBus()
    for (const [options, message] of [
      [{ until: soon(-1_000) }, /until: must be a time in the future/],
      [{ until: soon(YEAR_MS + 60_000) }, /until: must be a time in the future, at most a year/],
      [{ until: 'tomorrow' }, /until: must be an ISO 8601/],
      [{ reason: ' ' }, /reason: must not be blank/],
      [{ domain: 'No!' }, /'No!' is not a valid domain name/],
      [{ commandType: '' }, /'' is not a valid command type/],
    ] as const) {
      const refused = await bus.pause({ domain: 'mail', reason: 'x', ...options }).catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(InvalidInputError)
      expect((refused as Error).message).toMatch(message)
    }
    expect(await bus.pauses()).toEqual([])
  })

  test('F4: a caller with a tenant pauses and resumes that tenant only, and sees what stops its commands', async () => {
    const { bus } = await createTestBus()
    const ann = bus.as({ subject: 'ann', tenant: 'acme', roles: ['OPERATOR'] })
    const bob = bus.as({ subject: 'bob', tenant: null, roles: ['OPERATOR'] })
    const admin = bus.as({ subject: 'root', tenant: null, roles: ['ADMIN'] })
    const own = await ann.pause({ domain: 'mail', reason: 'mine' })
    expect(own).toMatchObject({ tenantId: 'acme', pausedBy: 'ann' })
    await expect(ann.pause({ domain: 'mail', tenantId: 'other', reason: 'x' })).rejects.toThrow(ForbiddenError)
    await expect(bob.pause({ domain: 'mail', tenantId: 'acme', reason: 'x' })).rejects.toThrow(/needs role ADMIN/)
    const ofAll = await bob.pause({ domain: 'mail', reason: 'all' })
    const other = await admin.pause({ domain: 'mail', tenantId: 'other', reason: 'theirs' })

    const seen = async (caller: typeof ann) => (await caller.pauses()).map(({ reason }) => reason).sort()
    expect(await seen(ann)).toEqual(['all', 'mine'])
    expect(await seen(bob)).toEqual(['all'])
    expect(await seen(admin)).toEqual(['all', 'mine', 'theirs'])
    const at = new Date(Date.now() + 1).toISOString()
    expect((await ann.pauses({ at })).map(({ reason }) => reason).sort()).toEqual(['all', 'mine'])
    await expect(ann.resume(other.pauseId)).rejects.toThrow(PauseNotFoundError)
    await expect(ann.resume(ofAll.pauseId)).rejects.toThrow(PauseNotFoundError)
    expect(await ann.resume(own.pauseId)).toMatchObject({ resumedBy: 'ann' })
    const reader = bus.as({ subject: 'eve', tenant: null, roles: ['SENDER'] })
    await expect(reader.pause({ domain: 'mail', reason: 'x' })).rejects.toThrow(ForbiddenError)
  })
})
