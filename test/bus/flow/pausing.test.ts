import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import type { CommandBus, HandlerContext } from '../../../src/index.ts'
import { createTestBus, logIsSeparate, signal, type TestBus, until } from '../../support/bus.ts'
import { compiledSource } from '../../support/servers/compiled.ts'

const QUEUE = 'mail__commands'
const script = fileURLToPath(new URL('./pausing-child.mjs', import.meta.url))
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Starts a worker process, and resolves when it works. */
const workerProcess = async ({ database, log }: TestBus, options: object): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [script, compiledSource(), database.url, JSON.stringify({ log, ...options })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  for await (const line of createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })) {
    if (line === 'started') break
  }
  return child
}

const sendMany = (bus: CommandBus, n: number, command: { commandType?: string; tenantId?: string } = {}) =>
  bus.sendBatch(
    'mail',
    Array.from({ length: n }, (_, data) => ({ commandType: 'Send', data, ...command })),
  )

const completed = async ({ pool }: TestBus): Promise<number> => {
  const { rows } = await pool.query(`select count(*)::int as n from command_bus_command where status = 'COMPLETED'`)
  return rows[0].n
}

const aside = async ({ pool }: TestBus): Promise<number> => {
  const { rows } = await pool.query('select count(*)::int as n from command_bus_paused_message')
  return rows[0].n
}

const withBegun = async (setup: TestBus) => {
  await setup.pool.query('create table begun (command_id uuid, at timestamptz)')
  return async (where = 'true', values: unknown[] = []): Promise<number> => {
    const { rows } = await setup.pool.query(`select count(*)::int as n from begun where ${where}`, values)
    return rows[0].n
  }
}

test('F4: three worker processes begin nothing one second after a pause, and go on where they stopped', async () => {
  const setup = await createTestBus()
  const { bus, pool } = setup
  const begun = await withBegun(setup)
  const commands = 150
  await sendMany(bus, commands)
  const workers = await Promise.all([1, 2, 3].map(() => workerProcess(setup, { handlerMs: 150 })))
  await until(begun, n => n >= 10)

  const { pauseId } = await bus.pause({ domain: 'mail', reason: 'the provider is down' })
  const { rows } = await pool.query('select clock_timestamp() as at')
  const pausedAt = rows[0].at as Date
  await delay(1_500)
  const before = await begun()
  expect(before).toBeLessThan(commands)
  expect(await begun(`at > $1::timestamptz + interval '1 second'`, [pausedAt])).toBe(0)
  // those that had begun end, and nothing more begins
  await until(
    async () => ({ completed: await completed(setup), begun: await begun() }),
    seen => seen.completed === seen.begun,
  )
  expect(await begun()).toBe(before)
  const waiting = await setup.messages(QUEUE)
  expect(waiting).toHaveLength(commands - before)
  expect(waiting.every(({ read_ct, vt }) => read_ct === 0 && vt <= new Date())).toBe(true)

  // a worker that is killed and one that is new change nothing
  const gone = once(workers[0] as ChildProcess, 'exit')
  workers[0]?.kill('SIGKILL')
  await gone
  await workerProcess(setup, { handlerMs: 5 })
  await delay(300)
  expect(await begun()).toBe(before)

  await bus.resume(pauseId)
  await until(
    () => completed(setup),
    n => n === commands,
  )
  expect(await begun()).toBe(commands)
  const attempts = await pool.query('select distinct total_attempts from command_bus_command')
  expect(attempts.rows).toEqual([{ total_attempts: 1 }])
  expect(await bus.maintenance.verify()).toEqual([])
})

test('F4: a paused type and a paused tenant wait uncounted, put aside and in their order; the others go on', async () => {
  const setup = await createTestBus()
  const { bus, another, work, messages } = setup
  await sendMany(bus, 30, { commandType: 'Bill' })
  await sendMany(bus, 30, { tenantId: 'acme' })
  await sendMany(bus, 30, { tenantId: 'other' })
  await sendMany(bus, 30, { commandType: 'Bill', tenantId: 'acme' })
  const type = await bus.pause({ domain: 'mail', commandType: 'Bill', reason: 'wrong prices' })
  const tenant = await bus.pause({ domain: 'mail', tenantId: 'acme', reason: 'unpaid' })
  const done: string[] = []
  const handlers = {
    '*': async (data: unknown, { command: { commandType, tenantId } }: HandlerContext) => {
      done.push(`${commandType} ${tenantId} ${data}`)
    },
  }
  for (const of of [bus, another(), another()]) await work({ domain: 'mail', concurrency: 3, handlers }, of)
  await until(
    () => aside(setup),
    n => n === 90,
  )
  await until(
    () => completed(setup),
    n => n === 30,
  )
  expect(done.every(one => one.startsWith('Send other'))).toBe(true)
  const far = Date.now() + 3_600_000
  expect((await messages(QUEUE)).every(({ read_ct, vt }) => read_ct === 0 && vt.getTime() > far)).toBe(true)
  // no send is refused meanwhile, and what comes is put aside, too
  await sendMany(bus, 5, { commandType: 'Bill' })
  await until(
    () => aside(setup),
    n => n === 95,
  )

  await bus.resume(tenant.pauseId)
  await until(
    () => completed(setup),
    n => n === 60,
  )
  // those of both pauses wait for the other one now
  await until(
    () => aside(setup),
    n => n === 65,
  )
  await bus.resume(type.pauseId)
  await until(
    () => completed(setup),
    n => n === 125,
  )
  expect(await aside(setup)).toBe(0)
  expect(new Set(done).size).toBe(done.length - 5)
  const { rows } = await setup.pool.query('select distinct total_attempts from command_bus_command')
  expect(rows).toEqual([{ total_attempts: 1 }])
})

test('F4: a pause outlives every process, and one with an end runs out by itself, without an event', async () => {
  const setup = await createTestBus()
  const { bus, another, work, pool } = setup
  const mine = another()
  await sendMany(mine, 10)
  await sendMany(mine, 10, { commandType: 'Bill' })
  const soon = await mine.pause({
    domain: 'mail',
    commandType: 'Bill',
    reason: 'a moment',
    until: new Date(Date.now() + 3_000).toISOString(),
  })
  const ofAll = await mine.pause({ domain: 'mail', reason: 'all' })
  await mine.close()
  const begun: number[] = []
  const first = await work({ domain: 'mail', handlers: { '*': async () => void begun.push(Date.now()) } }, bus)
  await delay(300)
  expect(begun).toEqual([])
  expect(first.health()).toMatchObject({
    status: 'healthy',
    reasons: ['the domain is paused: nothing is begun until it is resumed'],
  })
  await bus.resume(ofAll.pauseId)
  await until(
    () => completed(setup),
    n => n === 10,
  )
  await until(
    () => completed(setup),
    n => n === 20,
  )
  const { rows } = await pool.query('select until from command_bus_pause where pause_id = $1', [soon.pauseId])
  const over = (rows[0].until as Date).getTime()
  expect(begun.filter(at => at < over)).toHaveLength(10)
  expect(await aside(setup)).toBe(0)
  expect(await bus.pauses()).toEqual([])
  const resumed = await pool.query(`select stream from command_bus_event where type = 'FlowResumed'`)
  expect(resumed.rows).toEqual([{ stream: `pause-${ofAll.pauseId}` }])
})

test('F4: what a killed worker had put aside comes back after a resume that nobody saw', async () => {
  const setup = await createTestBus()
  const { bus, work } = setup
  await withBegun(setup)
  await sendMany(bus, 40, { commandType: 'Bill' })
  const { pauseId } = await bus.pause({ domain: 'mail', commandType: 'Bill', reason: 'x' })
  const child = await workerProcess(setup, { handlerMs: 1 })
  await until(
    () => aside(setup),
    n => n === 40,
  )
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  await bus.resume(pauseId)
  expect(await aside(setup)).toBe(40)
  await work({ domain: 'mail', handlers: { '*': async () => null } })
  await until(
    () => completed(setup),
    n => n === 40,
  )
  expect(await aside(setup)).toBe(0)
})

test('F4: commands that wait for a pause are canceled, retried and listed as ever', async () => {
  const setup = await createTestBus()
  const { bus, work, messages } = setup
  const [first, second] = await sendMany(bus, 2, { commandType: 'Bill' })
  await bus.send('mail', 'Park', {}, { maxAttempts: 1 })
  let parks = true
  await work({
    domain: 'mail',
    concurrency: 1,
    handlers: {
      '*': async () => null,
      Park: async () => {
        if (parks) throw new Error('not yet')
      },
    },
  })
  // parked before the pause, and sent again while it lasts
  const { items } = await until(
    () => bus.troubleshooting.list(),
    ({ items }) => items.length === 1,
  )
  parks = false
  const done = await until(
    () => completed(setup),
    n => n === 2,
  )
  expect(done).toBe(2)
  const pause = await bus.pause({ domain: 'mail', tenantId: 'acme', reason: 'x' })
  const [third, fourth] = await sendMany(bus, 2, { tenantId: 'acme' })
  await until(
    () => aside(setup),
    n => n === 2,
  )
  await bus.cancel('mail', third?.commandId as string)
  expect((await messages(QUEUE)).length).toBe(1)
  const parked = items[0]?.commandId as string
  const type = await bus.pause({ domain: 'mail', commandType: 'Park', reason: 'x' })
  await bus.troubleshooting.retry('mail', parked, { operator: 'ann' })
  await until(
    () => aside(setup),
    n => n === 3,
  )
  expect(await bus.getCommand('mail', fourth?.commandId as string)).toMatchObject({ status: 'PENDING', attempts: 0 })
  await bus.resume(pause.pauseId)
  await bus.resume(type.pauseId)
  await until(
    () => completed(setup),
    n => n === 4,
  )
  expect(await aside(setup)).toBe(0)
  expect(first?.commandId).not.toBe(second?.commandId)
})

test('F4: a message that somebody else has by now is not taken back from him', async () => {
  const setup = await createTestBus()
  const { bus, work, pool } = setup
  await sendMany(bus, 2, { commandType: 'Bill' })
  const { pauseId } = await bus.pause({ domain: 'mail', commandType: 'Bill', reason: 'x' })
  const handlers = { '*': async () => null }
  const worker = await work({ domain: 'mail', handlers })
  await until(
    () => aside(setup),
    n => n === 2,
  )
  await worker.stop()
  const { rows } = await pool.query(
    `update pgmq.q_${QUEUE} set vt = clock_timestamp() + interval '1 hour', read_ct = 1
     where msg_id = (select min(msg_id) from pgmq.q_${QUEUE}) returning msg_id`,
  )
  await bus.resume(pauseId)
  await work({ domain: 'mail', handlers })
  await until(
    () => aside(setup),
    n => n === 0,
  )
  await until(
    () => completed(setup),
    n => n === 1,
  )
  expect(await setup.messages(QUEUE)).toMatchObject([{ msg_id: rows[0].msg_id, read_ct: 1 }])
})

// a transaction of the handler's needs the log in the same database
test.skipIf(logIsSeparate)('F4: a handler that waits for its connection is not begun after the pause', async () => {
  const setup = await createTestBus({ maxConnections: 2 })
  const { bus, another, work, pool } = setup
  await sendMany(bus, 3)
  const running = signal()
  const end = signal()
  const begun: unknown[] = []
  await work({
    domain: 'mail',
    concurrency: 3,
    handlers: {
      Send: {
        transactional: true,
        handle: async (data: unknown) => {
          begun.push(data)
          running.resolve()
          await end.promise
        },
      },
    },
  })
  await running.promise
  const other = another()
  const { pauseId } = await other.pause({ domain: 'mail', reason: 'x' })
  await delay(1_000)
  end.resolve()
  await until(
    () => completed(setup),
    n => n === 1,
  )
  await until(
    async () => (await pool.query(`select 1 from command_bus_command where status = 'PENDING'`)).rowCount,
    n => n === 2,
  )
  expect(begun).toHaveLength(1)
  await other.resume(pauseId)
  await until(
    () => completed(setup),
    n => n === 3,
  )
  const { rows } = await pool.query('select distinct attempts from command_bus_command')
  expect(rows).toEqual([{ attempts: 1 }])
})
