import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { verifyReplies } from '../../../src/infrastructure/proof/verification/verify-replies.ts'
import { createTestBus, logIsSeparate, type TestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'
import { compiledSource } from '../../support/servers/compiled.ts'

const script = fileURLToPath(new URL('./owed-child.mjs', import.meta.url))
const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const startWorker = ({ database, log }: Pick<TestBus, 'database' | 'log'>): ChildProcess => {
  const child = spawn(process.execPath, [script, compiledSource(), database.url, JSON.stringify(log)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  return child
}

/** The senders that wait, from the events alone. */
const waitingByLog = async ({ pool }: Pick<TestBus, 'pool'>): Promise<readonly string[]> => {
  const { rows } = await pool.query(
    `select stream, type, data->>'replyTo' as reply_to from command_bus_event where stream like 'command-%' order by stream, revision`,
  )
  const waiting = new Set<string>()
  for (const { stream, type, reply_to: replyTo } of rows) {
    if (type === 'CommandSent' && replyTo !== null) waiting.add(stream.slice(-36))
    const isEnd = /Completed$|Canceled$|Expired$|Exhausted$|ByBusinessRule$/.test(type)
    if (isEnd) waiting.delete(stream.slice(-36))
  }
  return [...waiting].sort()
}

/** Also the total where it is another: pages that are read while something changes may differ from it for a moment. */
const waitingByRows = async ({ bus }: Pick<TestBus, 'bus'>): Promise<readonly string[]> => {
  const found: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await bus.replies.owed({ limit: 17, ...(cursor === undefined ? {} : { cursor }) })
    found.push(...page.items.map(({ commandId }) => commandId))
    if (page.nextCursor === null && found.length !== page.total) found.push(`of ${page.total}`)
    cursor = page.nextCursor
  }
  return found.sort()
}

/** The same numbers for the same seed. */
const randomOf = (seed: number) => {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

const doings = ['succeed', 'succeed', 'park', 'park', 'refuse', 'stumble']
const OPERATOR = { operator: 'jane' }

test('O6: through a random life with parks, retries, cancels and killed workers, owed replies are those that log and queues say, and no reply is there twice', async () => {
  const tested = await createTestBus()
  const { bus, pool, until } = tested
  const random = randomOf(17)
  const one = <A>(of: readonly A[]): A => of[Math.floor(random() * of.length)] as A
  const send = async (count: number): Promise<void> => {
    await bus.sendBatch(
      'payments',
      Array.from({ length: count }, (_, i) => ({
        commandType: 'Charge',
        data: { does: one(doings) },
        backoffSeconds: [0],
        ...(i % 4 === 0 ? {} : { replyTo: one(['shop_replies', 'desk_replies']) }),
      })),
    )
  }
  /** Log, rows and queues at one instant, whatever runs; then the list against a count of the test's own, once it stands still. */
  const check = async (): Promise<void> => {
    const { findings, duplicates } = await verifyReplies(pool)
    expect([findings, duplicates]).toEqual([[], 0])
  }
  // a process that follows another log takes longer to start
  const rounds = logIsSeparate ? 1 : 3
  await send(logIsSeparate ? 40 : 80)
  for (let round = 0; round < rounds; round++) {
    const worker = startWorker(tested)
    await once(worker.stdout as NonNullable<typeof worker.stdout>, 'data')
    await check()
    const { items } = await bus.troubleshooting.list({ limit: 500 })
    for (const { commandId } of items) {
      const act = one(['retry', 'cancel', 'complete', 'leave'] as const)
      if (act === 'retry')
        await bus.troubleshooting.retry('payments', commandId, { ...OPERATOR, data: { does: one(doings) } })
      if (act === 'cancel') await bus.troubleshooting.cancel('payments', commandId, { ...OPERATOR, reason: 'test' })
      if (act === 'complete') await bus.troubleshooting.complete('payments', commandId, { ...OPERATOR, resultData: {} })
    }
    const gone = once(worker, 'exit')
    worker.kill('SIGKILL')
    await gone
    await check()
    // what the server had begun for the killed process may still end
    await until(
      async () => [await waitingByRows(tested), await waitingByLog(tested)] as const,
      ([rows, log]) => JSON.stringify(rows) === JSON.stringify(log),
    )
    const open = await bus.queryCommands({ status: 'PENDING', limit: 500 })
    for (const { commandId } of open.items.slice(0, 3)) await bus.cancel('payments', commandId).catch(() => {})
    await send(20)
  }
  startWorker(tested)
  await until(
    async () =>
      (await bus.queryCommands({ status: 'PENDING', limit: 1 })).items.length +
      (await bus.queryCommands({ status: 'IN_PROGRESS', limit: 1 })).items.length,
    left => left === 0,
  )
  expect(await waitingByRows(tested)).toEqual(await waitingByLog(tested))
  const { owed, replies, duplicates, findings } = await verifyReplies(pool)
  expect([findings, duplicates]).toEqual([[], 0])
  const ended = await pool.query(
    `select count(*)::int as n from command_bus_command where reply_queue is not null and status in ('COMPLETED', 'FAILED', 'CANCELED')`,
  )
  expect(owed).toBeGreaterThan(0)
  // nobody reads the queues: each command that ended has its reply there
  expect([owed, replies]).toEqual([(await waitingByRows(tested)).length, ended.rows[0].n])
})

test('O6: the page and its counts are of one instant, whatever is sent meanwhile', async () => {
  const { bus } = await createTestBus()
  const batch = Array.from({ length: 10 }, () => ({ commandType: 'Charge', data: {}, replyTo: 'replies' }))
  let sent = 0
  const sending = (async () => {
    for (; sent < 30; sent++) await bus.sendBatch('payments', batch)
  })()
  while (sent < 30) {
    const { items, total, oldest } = await bus.replies.owed({ limit: 500 })
    expect([items.length, items[0]?.since ?? null]).toEqual([total, oldest])
  }
  await sending
  expect((await bus.replies.owed({ limit: 1 })).total).toBe(300)
  expect(await bus.replies.owed({ domain: 'shipping' })).toMatchObject({ items: [], total: 0, late: 0, oldest: null })
})

test('O6: the list says since when a sender waits and who waits too long; a parked command owes its reply until somebody decides', async () => {
  const { bus, pool, until } = await createTestBus({ lateAfterSeconds: 60 })
  const id = await parked({ bus, until }, 'payments', {}, { replyTo: 'shop_replies' })
  const { commandId: fresh } = await bus.send('payments', 'Charge', {}, { replyTo: 'desk_replies' })
  const { commandId: later } = await bus.send(
    'payments',
    'Charge',
    {},
    { replyTo: 'desk_replies', delaySeconds: 3_600 },
  )
  await bus.send('payments', 'Charge', {})
  const since = new Date(Date.now() - 120_000).toISOString()
  // as if these had been sent two minutes ago; the second of them is to run in an hour
  await pool.query('update command_bus_command set created_at = $1 where command_id = any ($2)', [since, [id, later]])
  const found = await bus.replies.owed()
  expect(found).toMatchObject({ total: 3, late: 1, oldest: since, nextCursor: null, lateAfterSeconds: 60 })
  expect(found.items.map(({ commandId, late }) => [commandId, late])).toEqual(
    expect.arrayContaining([
      [id, true],
      [later, false],
      [fresh, false],
    ]),
  )
  expect(found.items.at(-1)?.commandId).toBe(fresh)
  expect(found.items.find(({ commandId }) => commandId === id)).toMatchObject({
    domain: 'payments',
    commandType: 'Charge',
    status: 'IN_TROUBLESHOOTING_QUEUE',
    replyTo: 'shop_replies',
    since,
  })
  const ids = async (filter: Parameters<typeof bus.replies.owed>[0]) =>
    (await bus.replies.owed(filter)).items.map(({ commandId }) => commandId)
  expect(await ids({ late: true })).toEqual([id])
  expect(await ids({ late: false, queue: 'desk_replies' })).toHaveLength(2)
  expect(await ids({ lateAfterSeconds: 600, late: true })).toEqual([])
  expect(await ids({ domain: 'shipping' })).toEqual([])
  await expect(bus.replies.owed({ lateAfterSeconds: 0 })).rejects.toThrow('lateAfterSeconds')
  await expect(bus.replies.owed({ cursor: 'x' })).rejects.toThrow('not a valid cursor')

  const anna = bus.as({ subject: 'anna', tenant: 'acme', roles: ['SENDER', 'OPERATOR'] })
  await anna.send('payments', { commandType: 'Charge', data: {}, replyTo: 't_acme__replies' })
  expect((await anna.replies.owed()).items.map(({ tenantId }) => tenantId)).toEqual(['acme'])
  expect((await bus.replies.owed()).total).toBe(4)

  await bus.troubleshooting.cancel('payments', id, { operator: 'jane', reason: 'x' })
  expect(await ids({ queue: 'shop_replies' })).toEqual([])
})

test.skipIf(logIsSeparate)(
  'O6: a second reply, one before the end, and a row that hides a waiting sender are found',
  async () => {
    const { bus, pool, until } = await createTestBus()
    const ended = await parked({ bus, until }, 'payments', {}, { replyTo: 'shop_replies' })
    await bus.troubleshooting.complete('payments', ended, { operator: 'jane', resultData: {} })
    const { commandId: waiting } = await bus.send('payments', 'Charge', {}, { replyTo: 'shop_replies' })
    expect(await verifyReplies(pool)).toEqual({ findings: [], owed: 1, replies: 1, duplicates: 0 })

    await pool.query(
      'insert into pgmq.a_shop_replies (msg_id, read_ct, enqueued_at, vt, message) select msg_id, 1, enqueued_at, vt, message from pgmq.q_shop_replies',
    )
    expect(await verifyReplies(pool)).toMatchObject({
      replies: 2,
      duplicates: 1,
      findings: [{ kind: 'reply', stream: `command-payments-${ended}`, expected: 1, found: 2 }],
    })
    await pool.query('truncate pgmq.a_shop_replies')

    await pool.query(`update pgmq.q_shop_replies set message = message || jsonb_build_object('command_id', $1::text)`, [
      waiting,
    ])
    expect((await verifyReplies(pool)).findings).toMatchObject([
      {
        stream: `command-payments-${waiting}`,
        expected: 0,
        found: 1,
        message: expect.stringContaining('has not ended'),
      },
    ])
    await pool.query('truncate pgmq.q_shop_replies')

    await pool.query('update command_bus_command set reply_queue = null where command_id = $1', [waiting])
    expect((await verifyReplies(pool)).findings).toMatchObject([{ column: 'owed', expected: 1, found: 0 }])
  },
)

test.skipIf(logIsSeparate)(
  'O6: pages and counts read the index of unfinished commands, whatever the history',
  async () => {
    const { bus, pool } = await createTestBus()
    await bus.sendBatch(
      'payments',
      Array.from({ length: 20 }, () => ({ commandType: 'Charge', data: {}, replyTo: 'replies' })),
    )
    await pool.query(`
    insert into command_bus_command (domain, command_id, command_type, status, attempts, max_attempts, total_attempts, queue_name,
      reply_queue, correlation_id, retry_count, data_revision, created_at, updated_at, revision)
    select 'old', gen_random_uuid(), 'Charge', 'COMPLETED', 1, 3, 1, 'old__commands', 'replies', i::text, 0, 0, now() - i * interval '1 s', now(), 1
    from generate_series(1, 20000) i`)
    await pool.query('analyze command_bus_command')
    expect((await bus.replies.owed({ limit: 5 })).total).toBe(20)
    const plan = await pool.query(
      `explain select count(*) from command_bus_command c
     where c.reply_queue is not null and c.status in ('PENDING', 'IN_PROGRESS', 'IN_TROUBLESHOOTING_QUEUE')`,
    )
    expect(JSON.stringify(plan.rows)).toContain('command_bus_command_owed')
    expect(JSON.stringify(plan.rows)).not.toContain('Seq Scan')
  },
)
