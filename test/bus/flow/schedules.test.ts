import { describe, expect, test } from 'vitest'
import {
  type CommandBus,
  DomainReservedError,
  ForbiddenError,
  InvalidInputError,
  ReplyQueueRefusedError,
  ScheduleNameTakenError,
  ScheduleNotFoundError,
} from '../../../src/index.ts'
import { createTestBus, signal } from '../../support/bus.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const limits = { pollMs: 20, standbyMs: 20 }

/** A clock that is moved by hand. */
const handClock = (start = '2026-11-22T10:00:00.000Z') => {
  let at = Date.parse(start)
  const pass = (ms: number): void => {
    at += ms
  }
  return { now: () => new Date(at), random: Math.random, pass }
}
const iso = (time: number): string => new Date(time).toISOString()
const nightly = { domain: 'reports', commandType: 'Nightly', data: { kind: 'sales' }, cron: '* * * * *' } as const

const openFlow = async () => {
  const clock = handClock()
  const opened = await createTestBus({ clock, schedules: { limits } })
  /** The times whose commands were sent, in the order of sending. */
  const times = async (domain = 'reports'): Promise<readonly string[]> => {
    const { rows } = await opened.pool.query(
      `select causation_id from command_bus_command where domain = $1 and causation_id not like '% run now' order by msg_id`,
      [domain],
    )
    return rows.map(({ causation_id }) => causation_id.replace(/^\S+ /, ''))
  }
  /** Sends what is due now, as a process does that is there for a moment only; waits until the schedule is handled. */
  const once = async (bus: CommandBus, name: string): Promise<void> => {
    const stop = new AbortController()
    const ended = bus.schedules.carryOut(stop.signal)
    const handled = `select from command_bus_schedule_progress where name = $1 and handled_until >= $2`
    await opened.until(
      async () => (await opened.pool.query(handled, [name, clock.now()])).rowCount,
      count => count === 1,
    )
    stop.abort()
    await ended
  }
  return { ...opened, clock, times, once }
}

describe('the settings of a schedule', () => {
  test('F10: it is set, changed, paused, resumed and deleted, with who did so and when; its table is rebuilt from the log', async () => {
    const { bus, clock, pool } = await openFlow()
    const set = await bus.schedules.set(
      'sales.nightly',
      { ...nightly, cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
      { operator: 'ann' },
    )
    expect(set).toMatchObject({
      name: 'sales.nightly',
      status: 'ACTIVE',
      tenantId: null,
      data: { kind: 'sales' },
      missed: 'skip',
      maxMissed: 100,
      overlap: 'allow',
      createdBy: 'ann',
      createdAt: iso(clock.now().getTime()),
      next: [23, 24, 25, 26, 27].map(day => `2026-11-${day}T01:30:00.000Z`),
      lastTime: null,
      lastCommandId: null,
    })
    expect(await bus.schedules.get('sales.nightly')).toEqual(set)
    clock.pass(HOUR)
    const changed = await bus.schedules.set('sales.nightly', { ...nightly, cron: '0 3 * * *' }, { operator: 'bob' })
    expect(changed).toMatchObject({
      createdBy: 'ann',
      setBy: 'bob',
      setAt: iso(clock.now().getTime()),
      timeZone: 'UTC',
    })
    const paused = await bus.schedules.pause('sales.nightly', 'month end', { operator: 'ann' })
    expect(paused).toMatchObject({ status: 'PAUSED', pausedBy: 'ann', pauseReason: 'month end', next: [] })
    expect(await bus.schedules.list()).toEqual({ items: [paused], nextCursor: null })
    expect(await bus.schedules.resume('sales.nightly')).toMatchObject({ status: 'ACTIVE', pauseReason: null })

    await bus.schedules.set('hourly', {
      domain: 'other',
      commandType: 'X',
      data: 'x'.repeat(5_000),
      everySeconds: 3_600,
    })
    const { items, nextCursor } = await bus.schedules.list({ limit: 1 })
    expect(items).toMatchObject([{ name: 'hourly', data: null, dataBytes: 5_002 }])
    expect((await bus.schedules.list({ cursor: nextCursor ?? '' })).items.map(({ name }) => name)).toEqual([
      'sales.nightly',
    ])
    expect((await bus.schedules.list({ domain: 'reports' })).items).toHaveLength(1)
    expect(await bus.schedules.delete('hourly')).toEqual({ name: 'hourly' })
    expect(await bus.schedules.get('hourly')).toBeNull()
    await expect(bus.schedules.pause('hourly', 'x')).rejects.toThrow(ScheduleNotFoundError)
    await expect(bus.schedules.delete('nobody')).rejects.toThrow(ScheduleNotFoundError)
    expect(await bus.schedules.set('hourly', nightly)).toMatchObject({ domain: 'reports', createdBy: 'operator' })

    const rows = async () => (await pool.query('select * from command_bus_schedule order by name')).rows
    const kept = await rows()
    await pool.query(`update command_bus_schedule set cron = '0 4 * * *' where name = 'sales.nightly'`)
    expect(await bus.maintenance.verify()).toMatchObject([{ stream: 'schedule-sales.nightly', column: 'cron' }])
    await bus.maintenance.rebuild()
    expect(await rows()).toEqual(kept)
    expect(await bus.maintenance.verify()).toEqual([])
    const { rows: events } = await pool.query(
      `select type, meta->>'actor' as actor from command_bus_event where stream = 'schedule-sales.nightly' order by revision`,
    )
    expect(events.map(({ type, actor }) => `${type} ${actor}`)).toEqual([
      'ScheduleCreated ann',
      'ScheduleChanged bob',
      'SchedulePaused ann',
      'ScheduleResumed operator',
    ])
  })

  test('F10: bad input is one sentence, and nothing is done', async () => {
    const { bus } = await openFlow()
    const { cron: _, ...rest } = nightly
    const wrong: readonly (readonly [part: object, message: RegExp])[] = [
      [{ cron: '61 * * * *' }, /^cron: '61' in field 1 \(minute\) is not valid/],
      [{ cron: '* * * *' }, /^cron: must have 5 fields .* not 4$/],
      [{ cron: '0 0 31 2 *' }, /^cron: '0 0 31 2 \*' never comes/],
      [{ timeZone: 'Mars/Olympus' }, /^timeZone: 'Mars\/Olympus' is not a known time zone/],
      [{ everySeconds: 60 }, /^cron: give either cron or everySeconds, not both$/],
      [{ cron: undefined }, /^cron: give cron, or everySeconds$/],
      [{ cron: undefined, everySeconds: 0 }, /^everySeconds: must be a whole number from 1 to 31536000, not 0$/],
      [{ cron: undefined, everySeconds: 31_536_001 }, /^everySeconds: must be a whole number from 1 to 31536000/],
      [{ cron: undefined, everySeconds: 60, timeZone: 'UTC' }, /^timeZone: is for cron/],
      [{ domain: 'No!' }, /^domain: 'No!' is not a valid domain name/],
      [{ commandType: '1' }, /^commandType: '1' is not a valid command type/],
      [{ data: () => 1 }, /^data: /],
      [{ data: 'x'.repeat(1_100_000) }, /^data: .*at most 1048576/],
      [{ missed: 'some' }, /^missed: must be one of skip, once, all/],
      [{ maxMissed: 1_001 }, /^maxMissed: must be a whole number from 1 to 1000/],
      [{ priority: 'urgent' }, /^priority: must be one of high, normal, low/],
      [{ key: 'x'.repeat(201) }, /^key: must have at most 200 characters/],
      [{ overlap: 'wait' }, /^overlap: must be one of allow, skip/],
    ]
    for (const [part, message] of wrong) {
      const given = { ...rest, cron: '* * * * *', ...part } as never
      const refused = await bus.schedules.set('a', given).catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(InvalidInputError)
      expect((refused as Error).message).toMatch(message)
    }
    await expect(bus.schedules.set('No!', nightly)).rejects.toThrow(/^name: 'No!' is not a valid name of a schedule/)
    await expect(bus.schedules.set('a', nightly).then(() => bus.schedules.pause('a', ' '))).rejects.toThrow(
      /^reason: must not be blank/,
    )
    expect((await bus.schedules.list()).items.map(({ status }) => status)).toEqual(['ACTIVE'])
  })

  test('F10: a caller stays within its tenant, and needs OPERATOR or ADMIN', async () => {
    const { bus } = await openFlow()
    const as = (subject: string, tenant: string | null, ...roles: readonly ('OPERATOR' | 'ADMIN' | 'SENDER')[]) =>
      bus.as({ subject, tenant, roles })
    const [ann, bob, root] = [as('ann', 'acme', 'OPERATOR'), as('bob', 'other', 'OPERATOR'), as('root', null, 'ADMIN')]
    expect(await ann.schedules.set('nightly', nightly)).toMatchObject({ tenantId: 'acme', createdBy: 'ann' })
    await expect(bob.schedules.set('nightly', nightly)).rejects.toThrow(ScheduleNameTakenError)
    await expect(bob.schedules.get('nightly')).rejects.toThrow(ScheduleNotFoundError)
    for (const call of ['run', 'resume', 'delete'] as const)
      await expect(bob.schedules[call]('nightly')).rejects.toThrow(ScheduleNotFoundError)
    await expect(bob.schedules.pause('nightly', 'x')).rejects.toThrow(ScheduleNotFoundError)
    expect((await bob.schedules.list()).items).toEqual([])
    expect(await root.schedules.set('nightly', { ...nightly, data: 2 })).toMatchObject({
      tenantId: 'acme',
      setBy: 'root',
    })
    const { commandId } = await ann.schedules.run('nightly')
    expect(await ann.getCommand('reports', commandId)).toMatchObject({ tenantId: 'acme', data: 2 })
    await expect(as('eve', 'acme', 'SENDER').schedules.set('x', nightly)).rejects.toThrow(ForbiddenError)
    await expect(ann.schedules.set('x', { ...nightly, domain: 'operations' })).rejects.toThrow(DomainReservedError)
    await expect(ann.schedules.set('x', { ...nightly, replyTo: 't_other__replies' })).rejects.toThrow(
      ReplyQueueRefusedError,
    )
    expect((await as('eve', 'acme', 'SENDER').schedules.list()).items).toHaveLength(1)
    await ann.schedules.delete('nightly')
    expect(await bob.schedules.set('nightly', nightly)).toMatchObject({ tenantId: 'other' })
  })
})

describe('the times of a schedule', () => {
  test('F10: three processes, whose leader goes away in turn, send each time once, and say for which time', async () => {
    const { bus, another, clock, times, until } = await openFlow()
    const start = clock.now().getTime()
    await bus.schedules.set('nightly', { ...nightly, replyTo: 'shop__replies', priority: 'low' })
    const buses = [another(), another(), another()]
    const stops = buses.map(() => new AbortController())
    const ended = buses.map((one, i) => one.schedules.carryOut(stops[i]?.signal))
    const expected: string[] = []
    for (const minutes of [1, 1, 2, 1, 3, 1]) {
      for (let i = 0; i < minutes; i++) {
        clock.pass(MINUTE)
        expected.push(iso(clock.now().getTime()))
        await until(times, sent => sent.length >= expected.length)
      }
      // one of them is the leader; the last goes on alone
      if (expected.length === 2) stops[0]?.abort()
      if (expected.length === 5) stops[1]?.abort()
    }
    expect(await times()).toEqual(expected)
    const shown = await until(
      () => bus.schedules.get('nightly'),
      one => one?.lastTime === expected.at(-1),
    )
    const command = await bus.getCommand('reports', shown?.lastCommandId ?? '')
    expect(command).toMatchObject({
      commandType: 'Nightly',
      data: { kind: 'sales' },
      replyTo: 'shop__replies',
      priority: 'low',
      causationId: `nightly ${expected.at(-1)}`,
      correlationId: command?.commandId,
    })
    expect(await bus.getAuditTrail('reports', command?.commandId ?? '')).toMatchObject([{ actor: 'schedule:nightly' }])
    expect(shown?.next[0]).toBe(iso(start + 10 * MINUTE))
    stops[2]?.abort()
    await Promise.all(ended)
  })

  test('F10: after an hour off: all of the missed times in their order, the last one, or none', async () => {
    const { bus, clock, times, once } = await openFlow()
    const start = clock.now().getTime()
    for (const missed of ['all', 'once', 'skip'] as const)
      await bus.schedules.set(missed, { ...nightly, domain: missed, missed })
    await bus.schedules.set('few', { ...nightly, domain: 'few', missed: 'all', maxMissed: 3 })
    clock.pass(HOUR + 500)
    for (const name of ['all', 'once', 'skip', 'few']) await once(bus, name)
    const minutes = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, i) => iso(start + (from + i) * MINUTE))
    expect(await times('all')).toEqual(minutes(1, 60))
    expect(await times('once')).toEqual(minutes(60, 60))
    expect(await times('skip')).toEqual([])
    expect(await times('few')).toEqual(minutes(58, 60))
    expect(await bus.schedules.get('skip')).toMatchObject({ lastTime: null, lastPassedOver: iso(start + HOUR) })
    clock.pass(MINUTE)
    for (const name of ['all', 'once', 'skip', 'few']) await once(bus, name)
    expect(await times('all')).toEqual(minutes(1, 61))
    expect(await times('once')).toEqual(minutes(60, 61))
    expect(await times('skip')).toEqual(minutes(61, 61))

    // what was missed before a change, or during a pause, is not sent
    clock.pass(HOUR)
    await bus.schedules.set('all', { ...nightly, domain: 'all', missed: 'all', data: 'new' })
    await bus.schedules.pause('few', 'month end')
    clock.pass(30 * MINUTE)
    await bus.schedules.resume('few')
    clock.pass(MINUTE)
    for (const name of ['all', 'few']) await once(bus, name)
    expect((await times('all')).slice(61)).toEqual(minutes(122, 152))
    expect((await times('few')).slice(4)).toEqual(minutes(152, 152))
  })

  test('F10: overlap: skip passes over a time while the command before has not ended; run now sends one more and moves no time', async () => {
    const { bus, clock, times, once, work, until } = await openFlow()
    const start = clock.now().getTime()
    await bus.schedules.set('nightly', { ...nightly, overlap: 'skip' })
    const release = signal()
    const begun = signal()
    await work({
      domain: 'reports',
      handlers: {
        Nightly: async () => {
          begun.resolve()
          await release.promise
        },
      },
    })
    clock.pass(MINUTE)
    await once(bus, 'nightly')
    await begun.promise
    clock.pass(MINUTE)
    await once(bus, 'nightly')
    const shown = await bus.schedules.get('nightly')
    expect(shown).toMatchObject({ lastTime: iso(start + MINUTE), lastPassedOver: iso(start + 2 * MINUTE) })

    await bus.schedules.pause('nightly', 'month end')
    const now = await bus.schedules.run('nightly', { operator: 'ann' })
    expect(await bus.getAuditTrail('reports', now.commandId, { eventType: 'SENT' })).toMatchObject([{ actor: 'ann' }])
    expect(await bus.getCommand('reports', now.commandId)).toMatchObject({
      causationId: 'nightly run now',
      data: nightly.data,
    })
    await bus.schedules.resume('nightly')
    expect(await bus.schedules.get('nightly')).toMatchObject({
      next: [iso(start + 3 * MINUTE), expect.anything(), expect.anything(), expect.anything(), expect.anything()],
      lastTime: iso(start + MINUTE),
    })

    release.resolve()
    await until(
      () => bus.getCommand('reports', shown?.lastCommandId ?? ''),
      command => command?.status === 'COMPLETED',
    )
    clock.pass(MINUTE)
    await once(bus, 'nightly')
    expect(await times()).toEqual([iso(start + MINUTE), iso(start + 3 * MINUTE)])
  })

  test('F10: a deleted schedule sends nothing, and a new one of its name sends the same time as another command', async () => {
    const { bus, clock, times, once } = await openFlow()
    const start = clock.now().getTime()
    await bus.schedules.set('nightly', nightly)
    clock.pass(MINUTE)
    await once(bus, 'nightly')
    await bus.schedules.delete('nightly')
    await bus.schedules.set('nightly', { ...nightly, missed: 'all', domain: 'reports' })
    expect(await bus.schedules.get('nightly')).toMatchObject({ lastTime: null, lastCommandId: null })
    clock.pass(2 * MINUTE)
    await once(bus, 'nightly')
    expect(await times()).toEqual([1, 2, 3].map(minute => iso(start + minute * MINUTE)))
  })
})
