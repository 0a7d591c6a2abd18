import { describe, expect, test } from 'vitest'
import { InvalidInputError, InvalidOperationError } from '../../../src/index.ts'
import { createTestBus, logIsSeparate, signal, type TestBus } from '../../support/bus.ts'
import { auditNames } from '../../support/park.ts'

const hours = (n: number): string => new Date(Date.now() + n * 3_600_000).toISOString()
const scheduled = async ({ bus }: TestBus, filter = {}) =>
  (await bus.queryCommands({ scheduled: true, ...filter })).items.map(({ commandId }) => commandId)
const completed = ({ bus, until }: TestBus, commandId: string) =>
  until(
    () => bus.getCommand('mail', commandId),
    c => c?.status === 'COMPLETED',
  )

describe('a command that was sent for later', () => {
  test('F1: waits, is listed with its time, and runs at that time', async () => {
    const setup = await createTestBus()
    const { bus, work } = setup
    const runAt = new Date(Date.now() + 1_500)
    const ran: number[] = []
    const { commandId: soon } = await bus.send('mail', 'Post', 1, { runAt })
    const [late] = await bus.sendBatch('mail', [
      { commandType: 'Post', data: 2, delaySeconds: 3_600 },
      { commandType: 'Post', data: 3 },
    ])
    await work({ domain: 'mail', handlers: { Post: data => void (data === 1 && ran.push(Date.now())) } })
    expect(await scheduled(setup, { domain: 'mail' })).toEqual(expect.arrayContaining([late?.commandId]))
    expect((await bus.getCommand('mail', soon))?.runAt).toBe(runAt.toISOString())
    await completed(setup, soon)
    expect(ran).toHaveLength(1)
    expect(ran[0]).toBeGreaterThanOrEqual(runAt.getTime())
    expect(await scheduled(setup)).toEqual([late?.commandId])
    expect((await bus.queryCommands({ scheduled: false })).items).toHaveLength(2)
    expect(await scheduled(setup, { status: 'COMPLETED' })).toEqual([])
  })

  test('F1: is put off, and run at once by a worker that waits for nothing else', async () => {
    const setup = await createTestBus()
    const { bus, work, messages } = setup
    const { commandId } = await bus.send('mail', 'Post', {}, { runAt: hours(1), replyTo: 'answers' })
    const at = hours(2)
    expect(await bus.reschedule('mail', commandId, { runAt: at, actor: 'jane' })).toMatchObject({
      commandId,
      status: 'PENDING',
      runAt: at,
      revision: 1,
      data: {},
    })
    expect((await messages('mail__commands')).map(({ vt, read_ct }) => [vt.toISOString(), read_ct])).toEqual([[at, 0]])
    await bus.reschedule('mail', commandId, { runAt: at })
    expect(await auditNames(bus, 'mail', commandId)).toEqual(['SENT', 'RESCHEDULED'])
    expect((await bus.getAuditTrail('mail', commandId)).at(-1)).toMatchObject({
      actor: 'jane',
      details: { run_at: at },
    })
    expect(await bus.maintenance.verify()).toEqual([])
    await bus.maintenance.rebuild()
    expect(await scheduled(setup)).toEqual([commandId])
    await work({ domain: 'mail', handlers: { Post: () => 'sent' }, pollMs: 60_000 })
    const now = await bus.reschedule('mail', commandId, { delaySeconds: 0 })
    expect(Date.parse(now.runAt ?? '')).toBeLessThanOrEqual(Date.now())
    await completed(setup, commandId)
    expect((await auditNames(bus, 'mail', commandId)).slice(0, 3)).toEqual(['SENT', 'RESCHEDULED', 'RESCHEDULED'])
    expect((await bus.maintenance.verifyLog()).findings).toEqual([])
  })

  test('F1: is canceled while it waits', async () => {
    const { bus, messages, archived } = await createTestBus()
    const { commandId } = await bus.send('mail', 'Post', {}, { delaySeconds: 3_600 })
    await bus.cancel('mail', commandId)
    expect([await messages('mail__commands'), (await archived('mail__commands')).length]).toEqual([[], 1])
    await expect(bus.reschedule('mail', commandId, { delaySeconds: 0 })).rejects.toThrow(/is CANCELED/)
  })
})

describe('a command that has begun', () => {
  test('F1: cannot be put off while it runs, while it waits for its next attempt, and when it is done', async () => {
    const setup = await createTestBus()
    const { bus, work, until } = setup
    const { commandId } = await bus.send('mail', 'Post', {}, { backoffSeconds: [3_600], maxAttempts: 2 })
    const begun = signal()
    const go = signal()
    const post = async () => {
      begun.resolve()
      await go.promise
      throw new Error('later')
    }
    await work({ domain: 'mail', handlers: { Post: post } })
    await begun.promise
    const seen = (status: string, attempts: number) =>
      until(
        () => bus.getCommand('mail', commandId),
        c => c?.status === status && c.attempts === attempts,
      )
    await seen('IN_PROGRESS', 1)
    const refused = (why: RegExp) =>
      expect(bus.reschedule('mail', commandId, { runAt: hours(1) })).rejects.toThrow(
        expect.objectContaining({ code: 'INVALID_OPERATION', message: expect.stringMatching(why) }),
      )
    await refused(/is IN_PROGRESS/)
    go.resolve()
    await seen('PENDING', 1)
    await refused(/was begun/)
    expect(await auditNames(bus, 'mail', commandId)).not.toContain('RESCHEDULED')
  })

  // with the log in EventStoreDB the message is moved after the event
  test.skipIf(logIsSeparate)(
    'F1: is not put off when a worker has its message and nothing is in the log yet',
    async () => {
      const { bus, pool, messages } = await createTestBus()
      const { commandId } = await bus.send('mail', 'Post', {})
      await pool.query(`select * from command_bus_read('mail__commands', 30, 1, null)`)
      const before = await messages('mail__commands')
      await expect(bus.reschedule('mail', commandId, { runAt: hours(1) })).rejects.toThrow(InvalidOperationError)
      await expect(bus.reschedule('mail', commandId, { runAt: hours(1) })).rejects.toThrow(/a worker has taken command/)
      expect(await messages('mail__commands')).toEqual(before)
      expect(await auditNames(bus, 'mail', commandId)).toEqual(['SENT'])
      // handed back unworked: nobody has begun it
      await pool.query(`select command_bus_hand_back('mail__commands', '{1}', '{1}', interval '0', true)`)
      expect(await bus.reschedule('mail', commandId, { runAt: hours(1) })).toMatchObject({ revision: 1 })
    },
  )

  test.skipIf(logIsSeparate)(
    'F1: 20 that are put off while a worker begins to read: each is either put off or run',
    async () => {
      const setup = await createTestBus()
      const { bus, another, work, until } = setup
      const ran: string[] = []
      for (let round = 0; round < 4; round++) {
        const domain = `mail.r${round}`
        const sent = await bus.sendBatch(
          domain,
          Array.from({ length: 20 }, () => ({ commandType: 'Post', data: {} })),
        )
        const ids = sent.map(({ commandId }) => commandId)
        const begin = work({ domain, handlers: { Post: (_, { command }) => void ran.push(command.commandId) } })
        const movers = [bus, another()]
        const moved = await Promise.allSettled(
          ids.map((id, i) => (movers[i % 2] ?? bus).reschedule(domain, id, { runAt: hours(1) })),
        )
        await begin
        const off = new Set(ids.filter((_, i) => moved[i]?.status === 'fulfilled'))
        for (const one of moved)
          if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'INVALID_OPERATION' })
        const rest = ids.filter(id => !off.has(id))
        await until(
          async () => (await bus.queryCommands({ domain, status: 'COMPLETED' })).items.length,
          count => count === rest.length,
        )
        expect(new Set(await scheduled(setup, { domain }))).toEqual(off)
        expect(ran.splice(0).sort()).toEqual([...rest].sort())
      }
      expect(await bus.maintenance.verify()).toEqual([])
    },
  )

  test('F1: 20 times at once one command is moved: its row and its message have the time of its last event', async () => {
    const { bus, messages } = await createTestBus()
    const { commandId } = await bus.send('mail', 'Post', {}, { runAt: hours(1) })
    const moved = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => bus.reschedule('mail', commandId, { runAt: hours(i + 2) })),
    )
    for (const one of moved) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'CONFLICT' })
    const done = moved.filter(({ status }) => status === 'fulfilled').length
    expect(done).toBeGreaterThan(0)
    const steps = (await bus.getHistory('mail', commandId)).items
    expect(steps).toHaveLength(1 + done)
    const runAt = steps.at(-1)?.state.runAt
    expect((await bus.getCommand('mail', commandId))?.runAt).toBe(runAt)
    expect((await messages('mail__commands')).map(({ vt }) => vt.toISOString())).toEqual([runAt])
  })
})

test('F1: times that cannot be are refused in one sentence, and nothing is done', async () => {
  const { bus } = await createTestBus()
  const { commandId } = await bus.send('mail', 'Post', {}, { runAt: hours(1), expiresAt: hours(3) })
  for (const [options, why] of [
    [{ runAt: hours(-1) }, 'must be a time in the future'],
    [{ delaySeconds: 31_536_001 }, 'must be a number of seconds from 0 to 31536000'],
    [{ delaySeconds: -1 }, 'must be a number of seconds'],
    [{ delaySeconds: 1, runAt: hours(1) }, 'give one of them, not both'],
    [{}, 'say when it is to run'],
    [{ runAt: hours(3.001) }, 'must lie before the time at which the command expires'],
  ] as const) {
    await expect(bus.reschedule('mail', commandId, options)).rejects.toThrow(InvalidInputError)
    await expect(bus.reschedule('mail', commandId, options)).rejects.toThrow(why)
  }
  await expect(bus.reschedule('mail', commandId, undefined as never)).rejects.toThrow('say when it is to run')
  await expect(bus.reschedule('mail', '00000000-0000-4000-8000-000000000001', { delaySeconds: 0 })).rejects.toThrow(
    expect.objectContaining({ code: 'COMMAND_NOT_FOUND' }),
  )
  expect(await auditNames(bus, 'mail', commandId)).toEqual(['SENT'])
})

test('F1: senders and operators may move commands of their own tenant, and nobody else', async () => {
  const { bus } = await createTestBus()
  const { commandId } = await bus.send('mail', 'Post', {}, { delaySeconds: 3_600, tenantId: 't1' })
  const as = (tenant: string, ...roles: ('SENDER' | 'OPERATOR' | 'AUDITOR')[]) =>
    bus.as({ subject: 'jane', tenant, roles }).reschedule('mail', commandId, { runAt: hours(2) })
  await expect(as('t1', 'AUDITOR')).rejects.toThrow(expect.objectContaining({ code: 'FORBIDDEN' }))
  await expect(as('t2', 'SENDER')).rejects.toThrow(expect.objectContaining({ code: 'COMMAND_NOT_FOUND' }))
  expect(await as('t1', 'SENDER')).toMatchObject({ revision: 1 })
  expect(await as('t1', 'OPERATOR')).toMatchObject({ revision: 2 })
  expect((await bus.getAuditTrail('mail', commandId)).at(-1)?.actor).toBe('jane')
})
