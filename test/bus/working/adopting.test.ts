import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { createTestBus, logIsSeparate, signal, type TestBus } from '../../support/bus.ts'
import { compiledSource } from '../../support/servers/compiled.ts'

const QUEUE = 'payments__commands'
const ID = '01a200e7-9826-75ab-81b7-8c8837dfbce2'
/** More with an environment variable. */
const COUNT = Number(process.env.ADOPT_MESSAGES ?? (logIsSeparate ? 40 : 240))
const jane = { operator: 'jane@example.com' }
const script = fileURLToPath(new URL('./adopting-child.mjs', import.meta.url))

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Starts a process; `says` resolves with the line that begins with a text. */
const start = ({ database, log }: TestBus, role: 'send' | 'work', options: object) => {
  const args = [script, role, compiledSource(), database.url, JSON.stringify({ log, ...options })]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const seen: string[] = []
  const looks = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', line => {
    seen.push(line)
    for (const look of [...looks]) look()
  })
  const says = (text: string): Promise<string> =>
    new Promise(resolve => {
      const look = (): void => {
        const line = seen.find(one => one.startsWith(text))
        if (line !== undefined) resolve(line)
      }
      looks.add(look)
      look()
    })
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  return { says, end }
}

/** A bus on a queue that another program has made. */
const onTheirQueue = async (): Promise<TestBus> => {
  const setup = await createTestBus()
  await setup.pool.query(`select pgmq.create('${QUEUE}'), pgmq.create('shop_replies')`)
  return setup
}

const put = async ({ pool }: Pick<TestBus, 'pool'>, ...messages: readonly unknown[]): Promise<readonly string[]> => {
  const { rows } = await pool.query('select pgmq.send_batch($1::text, $2::jsonb[]) as id', [
    QUEUE,
    messages.map(one => JSON.stringify(one)),
  ])
  return rows.map(({ id }) => id)
}

const kept = ({ bus, until }: TestBus, count: number) =>
  until(
    async () => (await bus.strangers.list({ limit: 500 })).items,
    items => items.length === count,
  )

const whole = {
  command_id: ID,
  command_type: 'Charge',
  domain: 'payments',
  correlation_id: 'order-7',
  reply_to: 'shop_replies',
  created_at: '2024-05-01T10:00:00Z',
  data: { amount: 5 },
}

const statusOf = ({ bus, until }: TestBus, commandId: string, status: string) =>
  until(
    () => bus.getCommand('payments', commandId),
    command => command?.status === status,
  )

describe('F13: a queue of another program comes under the bus', () => {
  test(`F13: ${COUNT} messages, while their sender goes on, two workers adopt and one is killed: each is handled once or kept, and every reply is read`, async () => {
    const setup = await onTheirQueue()
    const { bus, pool, until, messages } = setup
    // their worker archived some before
    const before = await put(setup, whole, { ...whole, command_id: 'x' })
    await pool.query('select pgmq.archive($1::text, $2::bigint[])', [QUEUE, before])
    const leaseSeconds = logIsSeparate ? 4 : 2
    const sender = start(setup, 'send', { count: COUNT })
    const killed = start(setup, 'work', { leaseSeconds })
    const other = start(setup, 'work', { leaseSeconds })
    await Promise.all([killed.says('started'), other.says('started'), sender.says('half')])
    await killed.end('SIGKILL')
    const third = start(setup, 'work', { leaseSeconds })
    const done = JSON.parse((await sender.says('done')).slice('done '.length))
    expect(done).toMatchObject({ wrong: 0, unanswered: 0 })

    const { refused } = done
    const strange = refused.type + refused.reply + refused.twice + refused.form
    await until(
      () => messages(QUEUE),
      found => found.length === 0,
    )
    const rows = async () =>
      (
        await pool.query(
          `select count(*)::int as n, count(*) filter (where status = 'COMPLETED')::int as completed from command_bus_command`,
        )
      ).rows[0]
    const handled = COUNT - strange
    expect(await rows()).toEqual({ n: handled, completed: handled })
    expect(await bus.maintenance.verifyLog()).toMatchObject({ findings: [], strangers: strange + before.length })
    await other.end('SIGTERM')

    // an operator settles the rest while they go on
    const all = await kept(setup, strange)
    expect(all.filter(({ why }) => why.includes('another message') || why.includes('sent before'))).toHaveLength(
      refused.twice,
    )
    const typed = await bus.strangers.adopt({
      ...jane,
      domain: 'payments',
      messageType: 'Charge it!',
      commandType: 'Charge',
      limit: 500,
    })
    expect(typed).toMatchObject({ failed: [], nextCursor: null })
    expect(typed.adopted).toHaveLength(refused.type)
    const named = all.filter(({ why }) => why.includes('Shop Replies')).map(({ strangerId }) => strangerId)
    expect((await bus.strangers.adopt({ ...jane, strangerIds: named, replyTo: 'shop_replies' })).adopted).toHaveLength(
      refused.reply,
    )
    expect(await bus.strangers.drop({ ...jane, limit: 500, reason: 'sent twice' })).toEqual({
      dropped: refused.twice + refused.form,
      nextCursor: null,
    })
    const everything = handled + refused.type + refused.reply
    await until(rows, ({ completed }) => completed === everything)
    expect(await messages('shop_replies')).toHaveLength(refused.type + refused.reply)
    expect(await bus.maintenance.verify()).toEqual([])
    expect(await bus.maintenance.verifyLog()).toMatchObject({ findings: [], strangers: before.length })
    await third.end('SIGTERM')
  })

  test('F13: an adopted command keeps id, type, correlation id, reply queue, data and time; reads of others are not lost attempts', async () => {
    const setup = await onTheirQueue()
    const { bus, pool, work, messages, until } = setup
    const [msgId] = await put(setup, whole)
    // their worker has read it twice
    for (const _ of [1, 2]) await pool.query(`select pgmq.read($1, 0, 1)`, [QUEUE])
    let fail = true
    await work({
      domain: 'payments',
      workerId: 'w1',
      adoptStrangers: true,
      handlers: {
        Charge: data => {
          if (fail) throw new Error('not today')
          return data
        },
      },
    })
    const parked = await statusOf(setup, ID, 'IN_TROUBLESHOOTING_QUEUE')
    expect(parked).toMatchObject({
      commandType: 'Charge',
      correlationId: 'order-7',
      replyTo: 'shop_replies',
      data: { amount: 5 },
      attempts: 3,
      totalAttempts: 3,
    })
    const { items } = await bus.getHistory('payments', ID)
    expect(items[0]).toMatchObject({
      event: {
        type: 'CommandSent',
        actor: 'worker:w1',
        adopted: { queue: QUEUE, msgId, reads: 2, createdAt: '2024-05-01T10:00:00.000Z' },
      },
    })
    const audit = await bus.getAuditTrail('payments', ID)
    expect(audit.map(({ eventType }) => eventType)).toEqual(['SENT', 'RECEIVED', 'MOVED_TO_TROUBLESHOOTING_QUEUE'])
    expect(audit[0]?.details).toMatchObject({ adopted_from: QUEUE, adopted_msg_id: Number(msgId) })
    expect(audit[1]?.details).toMatchObject({ attempt: 3, lost: false })
    fail = false
    await bus.troubleshooting.retry('payments', ID, jane)
    await statusOf(setup, ID, 'COMPLETED')
    const replies = await until(
      () => messages('shop_replies'),
      found => found.length === 1,
    )
    expect(replies[0]?.message).toMatchObject({ command_id: ID, correlation_id: 'order-7', outcome: 'SUCCESS' })
    expect(await bus.maintenance.verify()).toEqual([])
    expect(await bus.maintenance.verifyLog()).toMatchObject({ findings: [], strangers: 0 })
  })

  // one transaction for many is what only a log in the same database has
  test.skipIf(logIsSeparate)(
    'F13: a worker with one slot adopts hundreds of messages in a few transactions, and hands back what is not theirs',
    async () => {
      const setup = await onTheirQueue()
      const { bus, pool, work, messages, until } = setup
      const count = 400
      await put(setup, ...Array.from({ length: count }, (_, n) => ({ type: 'Charge', command_id: `c-${n}`, data: n })))
      await bus.send('payments', 'Charge', 'own')
      // nothing else is handled meanwhile
      const busy = signal()
      await work({ domain: 'payments', adoptStrangers: true, concurrency: 1, handlers: { Charge: () => busy.promise } })
      await until(
        async () => (await pool.query('select from command_bus_command')).rowCount,
        rows => rows === count + 1,
      )
      const { rows } = await pool.query(
        `select count(distinct xid::text)::int as n from command_bus_event where type = 'CommandSent'`,
      )
      expect(rows[0].n).toBeLessThan(count / 10)
      // the one in the only slot apart, nobody counts as read
      const waiting = await until(
        () => messages(QUEUE),
        found => found.filter(({ read_ct }) => read_ct > 0).length <= 1,
      )
      expect(waiting).toHaveLength(count + 1)
      busy.resolve()
    },
  )

  test('F13: an id that is no UUID is replaced, always by the same one, and replies are recognised by it', async () => {
    const setup = await onTheirQueue()
    const { work, messages, until } = setup
    await put(setup, { type: 'Charge', command_id: 'order-17', reply_to: 'shop_replies', data: 1 })
    await work({ domain: 'payments', adoptStrangers: true, handlers: { Charge: () => 'done' } })
    const replies = await until(
      () => messages('shop_replies'),
      found => found.length === 1,
    )
    expect(replies[0]?.message).toMatchObject({ correlation_id: 'order-17', result: 'done' })
    const commandId = String(replies[0]?.message.command_id)
    expect(commandId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/)
    const command = await setup.bus.getHistory('payments', commandId)
    expect(command.items[0]).toMatchObject({ event: { adopted: { commandId: 'order-17' } } })
  })

  test('F13: what cannot be adopted together is adopted one by one, and a message without content is kept', async () => {
    const setup = await onTheirQueue()
    const { bus, pool, work } = setup
    await pool.query(`select pgmq.send('${QUEUE}', null::jsonb)`)
    await put(setup, 'text', whole, { ...whole, data: 'x'.repeat(1_100_000) })
    await work({ domain: 'payments', adoptStrangers: true, handlers: { Charge: () => null } })
    await statusOf(setup, ID, 'COMPLETED')
    const items = await kept(setup, 3)
    expect(items.toReversed()).toMatchObject([
      { message: null, why: 'the message names no command type: say which' },
      { message: 'text', why: 'the message names no command type: say which' },
      { message: null, messageBytes: expect.any(Number), why: expect.stringMatching(/^data: /) },
    ])
    // the payload is the message itself
    const { adopted } = await bus.strangers.adopt({
      ...jane,
      strangerIds: [String(items[1]?.strangerId)],
      commandType: 'Charge',
    })
    expect(await statusOf(setup, String(adopted[0]?.commandId), 'COMPLETED')).toMatchObject({ data: 'text' })
  })
})

describe('F13: strangers that were kept', () => {
  const withKept = async (...given: readonly unknown[]) => {
    const setup = await onTheirQueue()
    await put(setup, ...given)
    const worker = await setup.work({ domain: 'payments', handlers: { Charge: () => 'done' } })
    const items = await kept(setup, given.length)
    return { ...setup, worker, ids: items.map(({ strangerId }) => strangerId).toReversed() }
  }

  test('F13: are adopted once, however many operators do it at once, or dropped once', async () => {
    const setup = await withKept(...Array.from({ length: 20 }, (_, n) => ({ ...whole, command_id: `c-${n}` })))
    const { bus, another, pool, until } = setup
    const others = [bus, another(), another(), another()]
    const [first, second, dropped, again] = await Promise.all([
      others[0]?.strangers.adopt(jane),
      others[1]?.strangers.adopt({ operator: 'joe' }),
      others[2]?.strangers.drop({ ...jane, reason: 'a test' }),
      others[3]?.strangers.adopt({ operator: 'jim' }),
    ])
    const { items } = await bus.strangers.list({ settled: true })
    const adopted = items.filter(({ outcome }) => outcome === 'adopted')
    expect(items).toHaveLength(20)
    expect(items.filter(({ outcome }) => outcome === 'dropped')).toHaveLength(dropped?.dropped ?? -1)
    const said = [first, second, again].flatMap(one => one?.adopted ?? [])
    expect(new Set(said.map(({ strangerId }) => strangerId)).size).toBeGreaterThanOrEqual(adopted.length)
    if (!logIsSeparate) {
      // one transaction: nobody is told more than was done
      expect(said).toHaveLength(adopted.length)
      expect((await pool.query('select from command_bus_command')).rowCount).toBe(adopted.length)
    }
    for (const { message, headers } of items) expect([message, headers]).toEqual([null, null])
    await until(
      () => bus.queryCommands({ status: 'PENDING' }),
      page => page.items.length === 0,
    )
    expect(await bus.maintenance.verifyLog()).toMatchObject({ findings: [], strangers: 0 })
  })

  test('F13: stay as they are when the adoption fails half way; a second time gives one command', async () => {
    const setup = await withKept(whole)
    const { bus, pool } = setup
    await pool.query(`
      create function refuse() returns trigger language plpgsql as 'begin raise exception ''no room''; end';
      create trigger refuse before update on command_bus_stranger execute function refuse()`)
    expect(await bus.strangers.adopt(jane)).toMatchObject({ adopted: [], failed: [{ reason: 'no room' }] })
    expect((await bus.strangers.list()).items).toMatchObject([{ message: whole }])
    // with the log elsewhere, the command is there already
    expect((await bus.getCommand('payments', ID)) === null).toBe(!logIsSeparate)
    await pool.query('drop trigger refuse on command_bus_stranger')
    expect(await bus.strangers.adopt(jane)).toMatchObject({ adopted: [{ commandId: ID }], failed: [] })
    await statusOf(setup, ID, 'COMPLETED')
    expect(
      (await bus.getHistory('payments', ID)).items.filter(({ event }) => event.type === 'CommandSent'),
    ).toHaveLength(1)
    expect(await bus.maintenance.verifyLog()).toMatchObject({ findings: [], strangers: 0 })
  })

  test('F13: a message that could not be taken off the queue after its adoption is taken off later, and runs once', async () => {
    const setup = await onTheirQueue()
    const { pool, work, messages, until, bus } = setup
    await put(setup, whole)
    await pool.query(`
      create function refuse() returns trigger language plpgsql as 'begin raise exception ''not now''; end';
      create trigger refuse before delete on pgmq.q_${QUEUE} for each row when (old.message->>'created_at' like '2024%') execute function refuse()`)
    const ran: string[] = []
    const handlers = { Charge: () => void ran.push('ran') }
    const worker = await work({ domain: 'payments', adoptStrangers: true, handlers })
    if (logIsSeparate) await statusOf(setup, ID, 'COMPLETED')
    await until(
      () => messages(QUEUE),
      found => found.length === 1 && found[0]?.read_ct === 0,
    )
    await worker.stop()
    await pool.query(`drop trigger refuse on pgmq.q_${QUEUE}; update pgmq.q_${QUEUE} set vt = now()`)
    await work({ domain: 'payments', adoptStrangers: true, handlers })
    await until(
      () => messages(QUEUE),
      found => found.length === 0,
    )
    await statusOf(setup, ID, 'COMPLETED')
    expect(ran).toEqual(['ran'])
    expect((await bus.strangers.list()).items).toEqual([])
    expect(await bus.maintenance.verifyLog()).toMatchObject({ findings: [], strangers: 0 })
  })

  test('F13: an id that was used, or another domain, is adopted as new only; pages go on after what cannot be adopted', async () => {
    const setup = await withKept(whole, whole, { ...whole, command_id: undefined, domain: 'shop' })
    const { bus, ids } = setup
    expect(await bus.strangers.adopt({ ...jane, limit: 2 })).toEqual({
      adopted: [{ strangerId: ids[0], domain: 'payments', commandId: ID }],
      failed: [
        {
          strangerId: ids[1],
          domain: 'payments',
          reason: `command ${ID} was sent before: adopt it as new, or drop it`,
        },
      ],
      nextCursor: ids[1],
    })
    const rest = await bus.strangers.adopt({ ...jane, limit: 2, cursor: String(ids[1]) })
    expect(rest).toMatchObject({ adopted: [], failed: [{ strangerId: ids[2] }], nextCursor: null })
    const asNew = await bus.strangers.adopt({ ...jane, asNew: true, replyTo: null })
    expect(asNew).toMatchObject({ failed: [], adopted: [{ strangerId: ids[1] }, { strangerId: ids[2] }] })
    const settled = await bus.strangers.list({ settled: true, queue: QUEUE })
    expect(settled.items.map(({ commandId, settledBy }) => [commandId, settledBy]).toReversed()).toEqual([
      [ID, jane.operator],
      ...asNew.adopted.map(({ commandId }) => [commandId, jane.operator]),
    ])
    for (const { commandId } of asNew.adopted) await statusOf(setup, commandId, 'COMPLETED')
  })

  test('F13: wrong input is refused with one sentence, and nothing is done', async () => {
    const { bus } = await createTestBus()
    const refused = [
      [{ operator: ' ' }, 'operator: must not be blank'],
      [{ ...jane, strangerIds: ['x'] }, 'strangerIds[0]: must be a strangerId'],
      [{ ...jane, commandType: 'Charge it!' }, "commandType: 'Charge it!' is not a valid command type"],
      [{ ...jane, replyTo: 'shop__commands' }, "replyTo: 'shop__commands' is for commands"],
      [{ ...jane, cursor: 'x' }, 'cursor: must be a strangerId'],
    ] as const
    for (const [options, said] of refused) await expect(bus.strangers.adopt(options)).rejects.toThrow(said)
    await expect(bus.strangers.drop({ ...jane, reason: ' ' })).rejects.toThrow('reason: must not be blank')
    expect(() => bus.worker({ domain: 'a', adoptStrangers: 'yes' as never })).toThrow(
      'adoptStrangers: must be true or false',
    )
  })
})
