import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { InvalidInputError, PermanentCommandError } from '../../../src/index.ts'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'

/** Parks `count` commands in a domain at once; the data contains type and code. */
const parkMany = async (
  { bus, until, pool }: TestBus,
  domain: string,
  commands: readonly { readonly commandType: string; readonly code: string }[],
): Promise<void> => {
  await bus.sendBatch(
    domain,
    commands.map(({ commandType, code }, i) => ({ commandType, data: { code, i } })),
  )
  const worker = bus.worker({
    domain,
    handlers: {
      '*': data => {
        throw new PermanentCommandError((data as { code: string }).code, `it failed with ${JSON.stringify(data)}`)
      },
    },
  })
  await worker.start()
  const count = async () =>
    (
      await pool.query(
        'select count(*)::int as n from command_bus_command where domain = $1 and parked_at is not null',
        [domain],
      )
    ).rows[0].n
  await until(count, n => n >= commands.length)
  await worker.stop()
}

describe('troubleshooting lists', () => {
  test('A10: an empty domain has an empty list', async () => {
    const { bus } = await createTestBus()
    expect(await bus.troubleshooting.list({ domain: 'payments' })).toEqual({ items: [], nextCursor: null, total: 0 })
    expect(await bus.troubleshooting.groups()).toEqual([])
  })

  test('A10: an item has what an operator needs, with the payload', async () => {
    const test = await createTestBus()
    const commandId = await parked(test, 'payments', { amount: 5 }, { replyTo: 'replies', correlationId: 'c-1' })
    expect((await test.bus.troubleshooting.list({ domain: 'payments' })).items).toEqual([
      {
        domain: 'payments',
        commandId,
        commandType: 'Charge',
        attempts: 1,
        maxAttempts: 3,
        parkedAt: expect.any(String),
        parkedReason: 'PERMANENT',
        snoozedUntil: null,
        assignee: null,
        tags: [],
        notes: 0,
        lastErrorType: 'PERMANENT',
        lastErrorCode: 'CARD_DECLINED',
        lastErrorMsg: 'the card was declined',
        correlationId: 'c-1',
        replyTo: 'replies',
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
        payload: { amount: 5 },
      },
    ])
  })

  test('A10: filters combine; pages run newest first over all domains, and no row comes twice', async () => {
    const test = await createTestBus()
    const { bus } = test
    const kinds = [
      { commandType: 'Charge', code: 'DOWN' },
      { commandType: 'Charge', code: 'NO_ACCOUNT' },
      { commandType: 'Refund', code: 'DOWN' },
    ]
    const many = Array.from({ length: 30 }, (_, i) => kinds[i % 3] as (typeof kinds)[number])
    await parkMany(test, 'payments', many)
    await parkMany(test, 'billing', many.slice(0, 6))

    const filtered = await bus.troubleshooting.list({ domain: 'payments', commandType: 'Charge', errorCode: 'DOWN' })
    expect(filtered).toMatchObject({ total: 10, nextCursor: null })
    expect(filtered.items).toHaveLength(10)
    for (const item of filtered.items) expect(item).toMatchObject({ commandType: 'Charge', lastErrorCode: 'DOWN' })

    const seen: string[] = []
    const moved: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof bus.troubleshooting.list>> = await bus.troubleshooting.list({
        limit: 7,
        ...(cursor === null ? {} : { cursor }),
      })
      expect(page.total).toBe(36)
      seen.push(...page.items.map(item => `${item.domain}/${item.commandId}`))
      moved.push(...page.items.map(item => item.updatedAt))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(new Set(seen).size).toBe(36)
    expect(seen).toHaveLength(36)
    expect(moved).toEqual(moved.toSorted().reverse())

    const half = moved[18] as string
    const since = await bus.troubleshooting.list({ from: half })
    const upTo = await bus.troubleshooting.list({ to: half })
    expect(since.total + upTo.total).toBe(36)
    expect(since.items.every(item => item.updatedAt >= half)).toBe(true)
  })

  test('A10: an item leaves the list when it is resolved', async () => {
    const test = await createTestBus()
    const { bus } = test
    const ids = [await parked(test), await parked(test), await parked(test)] as const
    const by = { operator: 'jane' }
    await bus.troubleshooting.retry('payments', ids[0], by)
    await bus.troubleshooting.cancel('payments', ids[1], { ...by, reason: 'no' })
    await bus.troubleshooting.complete('payments', ids[2], by)
    expect(await bus.troubleshooting.list()).toMatchObject({ items: [], total: 0 })
  })

  test('A11: after several rounds of parking and retrying a command is listed once', async () => {
    const test = await createTestBus()
    const { bus, until } = test
    const commandId = await parked(test)
    for (let round = 2; round <= 4; round++) {
      await bus.troubleshooting.retry('payments', commandId, { operator: 'jane' })
      const worker = bus.worker({ domain: 'payments', handlers: {} })
      await worker.start()
      await until(
        () => bus.getCommand('payments', commandId),
        c => c?.totalAttempts === round && c.parkedAt !== null,
      )
      await worker.stop()
    }
    expect((await bus.troubleshooting.list()).items.map(item => item.commandId)).toEqual([commandId])
  })

  test('A12: parked messages are in the archive; there is no second queue', async () => {
    const test = await createTestBus()
    const commandId = await parked(test)
    expect((await test.pool.query('select queue_name from pgmq.list_queues()')).rows).toEqual([
      { queue_name: 'payments__commands' },
    ])
    expect(await test.messages('payments__commands')).toEqual([])
    expect((await test.archived('payments__commands')).map(m => m.message.command_id)).toEqual([commandId])
  })

  test('groups count parked commands by domain, type and error code, with the newest message as a sample', async () => {
    const test = await createTestBus()
    await parkMany(test, 'payments', [
      { commandType: 'Charge', code: 'DOWN' },
      { commandType: 'Charge', code: 'DOWN' },
      { commandType: 'Refund', code: 'DOWN' },
    ])
    const groups = await test.bus.troubleshooting.groups({ domain: 'payments' })
    expect(groups).toMatchObject([
      { domain: 'payments', commandType: 'Charge', errorCode: 'DOWN', count: 2 },
      { domain: 'payments', commandType: 'Refund', errorCode: 'DOWN', count: 1 },
    ])
    expect(groups[0]?.sample).toMatch(/it failed with/)
    expect(groups.every(group => group.first <= group.last)).toBe(true)
  })
})

describe('queries', () => {
  test('A30: all filters of queryCommands combine, and pages go by key', async () => {
    const test = await createTestBus()
    const { bus } = test
    await parkMany(test, 'payments', [{ commandType: 'Charge', code: 'DOWN' }])
    await bus.sendBatch(
      'payments',
      Array.from({ length: 25 }, (_, i) => ({ commandType: i % 2 === 0 ? 'Charge' : 'Refund', data: { i } })),
    )
    const one = await bus.send('payments', 'Charge', {}, { correlationId: 'find me' })
    await bus.send('billing', 'Charge', {}, { correlationId: 'find me' })

    expect((await bus.queryCommands({ correlationId: 'find me' })).items).toHaveLength(2)
    expect((await bus.queryCommands({ domain: 'payments', correlationId: 'find me' })).items).toMatchObject([
      { commandId: one.commandId },
    ])
    const parkedOnes = await bus.queryCommands({ status: 'IN_TROUBLESHOOTING_QUEUE', errorCode: 'DOWN' })
    expect(parkedOnes.items).toHaveLength(1)
    const now = new Date(Date.now() + 1000).toISOString()
    expect((await bus.queryCommands({ createdAfter: now })).items).toEqual([])
    expect((await bus.queryCommands({ createdBefore: now, limit: 500 })).items).toHaveLength(28)

    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await bus.queryCommands({
        domain: 'payments',
        commandType: 'Charge',
        status: 'PENDING',
        limit: 4,
        ...(cursor === undefined ? {} : { cursor }),
      })
      seen.push(...page.items.map(item => item.commandId))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(seen).toHaveLength(14)
    expect(new Set(seen).size).toBe(14)
  })

  test('A30: the audit trail runs in order of revision; an unknown id has an empty one and no command', async () => {
    const test = await createTestBus()
    const { bus } = test
    const commandId = await parked(test)
    await bus.troubleshooting.retry('payments', commandId, { operator: 'jane' })
    const audit = await bus.getAuditTrail('payments', commandId)
    expect(audit.map(entry => entry.revision)).toEqual([0, 1, 2, 3])
    expect(new Set(audit.map(entry => entry.auditId)).size).toBe(4)
    for (const entry of audit) {
      expect(entry).toMatchObject({ domain: 'payments', commandId, actor: expect.any(String), ts: expect.any(String) })
    }
    expect(await bus.getAuditTrail('payments', randomUUID())).toEqual([])
    expect(await bus.getAuditTrail('billing', commandId)).toEqual([])
    expect(await bus.getCommand('payments', randomUUID())).toBeNull()
    expect(await bus.findCommand(randomUUID())).toEqual([])
  })

  test('A30: two events with the same time keep the order of their revisions', async () => {
    const at = new Date('2026-01-01T00:00:00Z')
    const test = await createTestBus({ clock: { now: () => at, random: () => 0 } })
    const commandId = await parked(test)
    const audit = await test.bus.getAuditTrail('payments', commandId)
    expect(audit.map(entry => [entry.revision, entry.eventType])).toEqual([
      [0, 'SENT'],
      [1, 'RECEIVED'],
      [2, 'MOVED_TO_TROUBLESHOOTING_QUEUE'],
    ])
  })

  test.each([
    ['a limit of 0', { limit: 0 }, /limit/],
    ['a limit over 500', { limit: 501 }, /limit/],
    ['an invalid cursor', { cursor: 'abc' }, /cursor/],
    [
      'a cursor that breaks out',
      { cursor: Buffer.from('["2026-01-01","x","\'; drop"]').toString('base64url') },
      /cursor/,
    ],
    ['an unknown status word', { status: 'DONE' as never }, /PENDING, IN_PROGRESS/],
    ['an invalid time', { createdAfter: 'yesterday' }, /ISO 8601/],
    ['times in the wrong order', { createdAfter: '2026-01-02', createdBefore: '2026-01-01' }, /before/],
  ])('bad input is refused in one sentence: %s', async (_, filter, sentence) => {
    const { bus } = await createTestBus()
    const refusal = await bus.queryCommands(filter).catch(error => error)
    expect(refusal).toBeInstanceOf(InvalidInputError)
    expect(refusal.message).toMatch(sentence)
  })

  test("the sender's cancel ends a PENDING command, removes its message and is in the audit", async () => {
    const { bus, work, until, messages, archived } = await createTestBus()
    const { commandId } = await bus.send('payments', 'Charge', {}, { replyTo: 'replies' })
    await bus.cancel('payments', commandId, { actor: 'shop', reason: 'ordered twice' })
    expect(await bus.getCommand('payments', commandId)).toMatchObject({ status: 'CANCELED' })
    expect(await messages('payments__commands')).toEqual([])
    expect(await archived('payments__commands')).toHaveLength(1)
    expect((await messages('replies')).map(m => m.message)).toMatchObject([
      { outcome: 'CANCELED', reason: 'ordered twice' },
    ])
    expect((await bus.getAuditTrail('payments', commandId)).at(-1)).toMatchObject({
      eventType: 'CANCELED',
      actor: 'shop',
    })

    await expect(bus.cancel('payments', commandId)).rejects.toThrow(/CANCELED/)
    await expect(bus.cancel('payments', randomUUID())).rejects.toThrow(/no command/)
    const other = await bus.send('payments', 'Charge', {})
    await work({ domain: 'payments', handlers: { Charge: () => null } })
    await until(
      () => bus.getCommand('payments', other.commandId),
      c => c?.status === 'COMPLETED',
    )
    await expect(bus.cancel('payments', other.commandId)).rejects.toThrow(/only while it is PENDING/)
  })
})
