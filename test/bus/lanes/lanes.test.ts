import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { PermanentCommandError, TransientCommandError } from '../../../src/index.ts'
import { createTestBus, logIsSeparate, signal, type TestBus, until } from '../../support/bus.ts'
import { entriesOf, setLane } from '../../support/flow/lanes.ts'
import { isParked } from '../../support/park.ts'

const ORDER = Array.from({ length: 12 }, (_, n) => n)

/** Sends one command for each number, all with the key `a`; returns their ids. */
const sendAll = async ({ bus }: TestBus, numbers = ORDER): Promise<readonly string[]> =>
  (
    await bus.sendBatch(
      'mail',
      numbers.map(n => ({ commandType: 'Send', data: { n }, key: 'a', backoffSeconds: [0.05] })),
    )
  ).map(({ commandId }) => commandId)

/** Ends when no lane has a command any more. */
const allEnded = ({ pool }: TestBus) =>
  until(
    () => entriesOf(pool),
    left => left.length === 0,
  )

const numberOf = (data: unknown): number => (data as { readonly n: number }).n

test('F5: commands of one key run one after the other in the order of sending, also through retries', async () => {
  const test = await createTestBus()
  const { bus, another, work } = test
  const began: string[] = []
  let running = 0
  const handlers = {
    Send: async (data: unknown, { attempt }: { readonly attempt: number }) => {
      expect(++running).toBe(1)
      began.push(`${numberOf(data)}.${attempt}`)
      await delay(1)
      running--
      if (numberOf(data) % 5 === 2 && attempt < 3) throw new TransientCommandError('AGAIN', 'once more')
    },
  }
  await work({ domain: 'mail', handlers })
  await work({ domain: 'mail', handlers }, another())
  await sendAll(test)
  for (const n of [12, 13, 14]) await bus.send('mail', 'Send', { n }, { key: 'a', backoffSeconds: [0.05] })
  await allEnded(test)
  expect(began).toEqual(
    [...ORDER, 12, 13, 14].flatMap(n =>
      n % 5 === 2 && n < 12 ? [`${n}.1`, `${n}.2`, `${n}.3`] : n === 12 ? ['12.1', '12.2', '12.3'] : [`${n}.1`],
    ),
  )
  expect(await bus.maintenance.verify()).toEqual([])
})

test('F5: the log shows that nothing of a lane overlapped: each receipt comes after the end before it', async () => {
  const test = await createTestBus()
  await test.work({ domain: 'mail', handlers: { Send: () => null } })
  await sendAll(test)
  await allEnded(test)
  const { rows } = await test.pool.query(
    `select type, stream from command_bus_event where type in ('CommandReceived', 'CommandCompleted') order by position`,
  )
  expect(rows).toHaveLength(2 * ORDER.length)
  rows.forEach(({ type, stream }, i) => {
    expect(type).toBe(i % 2 === 0 ? 'CommandReceived' : 'CommandCompleted')
    if (i % 2 === 1) expect(stream).toBe(rows[i - 1].stream)
  })
})

test('F5: a parked command holds its lane and no other; its retry, or its cancellation, lets the lane go on within a second', async () => {
  const test = await createTestBus()
  const { bus, work } = test
  const began: number[] = []
  let isBad = true
  await work({
    domain: 'mail',
    handlers: {
      Send: data => {
        began.push(numberOf(data))
        if (isBad && numberOf(data) === 1) throw new PermanentCommandError('BAD', 'bad')
        if (numberOf(data) === 3) throw new PermanentCommandError('BAD', 'bad')
      },
    },
  })
  const ids = await sendAll(test, [0, 1, 2, 3, 4])
  await until(() => bus.getCommand('mail', ids[1] as string), isParked)
  const other = await bus.send('mail', 'Send', { n: 9 }, { key: 'b' })
  await until(
    () => bus.getCommand('mail', other.commandId),
    c => c?.status === 'COMPLETED',
  )
  expect(began).toEqual([0, 1, 9])
  expect(await bus.getCommand('mail', ids[3] as string)).toMatchObject({
    status: 'PENDING',
    lane: 'a',
    place: 2,
    waitsFor: ids[1],
  })

  isBad = false
  await bus.troubleshooting.retry('mail', ids[1] as string, { operator: 'op' })
  await until(() => bus.getCommand('mail', ids[3] as string), isParked)
  expect(began).toEqual([0, 1, 9, 1, 2, 3])
  const from = performance.now()
  await bus.troubleshooting.cancel('mail', ids[3] as string, { operator: 'op', reason: 'no' })
  const last = await until(
    () => bus.getCommand('mail', ids[4] as string),
    c => c?.status === 'COMPLETED',
  )
  // a second, and time for a busy machine
  expect(performance.now() - from).toBeLessThan(10_000)
  expect(last).not.toHaveProperty('place')
  expect(began).toEqual([0, 1, 9, 1, 2, 3, 4])
})

test('F5: where the lane says pass, a parked command lets the next run, and runs after its retry as the next', async () => {
  const test = await createTestBus()
  const { bus, work, pool } = test
  await setLane(pool, 'mail', 'a', { onPark: 'pass' })
  const began: number[] = []
  const gate = signal()
  let isBad = true
  await work({
    domain: 'mail',
    handlers: {
      Send: async data => {
        began.push(numberOf(data))
        if (isBad && numberOf(data) === 1) throw new PermanentCommandError('BAD', 'bad')
        if (numberOf(data) === 2) await gate.promise
      },
    },
  })
  const ids = await sendAll(test, [0, 1, 2, 3, 4])
  await until(
    async () => began,
    seen => seen.includes(2),
  )
  isBad = false
  await bus.troubleshooting.retry('mail', ids[1] as string, { operator: 'op' })
  expect(await bus.getCommand('mail', ids[1] as string)).toMatchObject({ place: 1, waitsFor: ids[2] })
  gate.resolve()
  await allEnded(test)
  expect(began).toEqual([0, 1, 2, 1, 3, 4])
})

test('F5: one that waits for its lane can be canceled; its lane does not notice', async () => {
  const test = await createTestBus()
  const { bus, work, archived } = test
  const ids = await sendAll(test, [0, 1, 2, 3])
  await bus.cancel('mail', ids[2] as string)
  await bus.cancel('mail', ids[0] as string)
  const began: number[] = []
  await work({ domain: 'mail', handlers: { Send: data => void began.push(numberOf(data)) } })
  await allEnded(test)
  expect(began).toEqual([1, 3])
  expect(await archived('mail__commands')).toHaveLength(2)
})

test('F5: one that is sent for later joins its lane when it is due, behind those that were there', async () => {
  const test = await createTestBus()
  const { bus, work } = test
  const began: number[] = []
  const gate = signal()
  const due = await bus.send('mail', 'Send', { n: 0 }, { key: 'a', delaySeconds: 3_600 })
  await bus.send('mail', 'Send', { n: 1 }, { key: 'a' })
  await bus.send('mail', 'Send', { n: 2 }, { key: 'a' })
  const { commandId } = await bus.send('mail', 'Send', { n: 3 }, { key: 'a', delaySeconds: 3_600 })
  // an hour passes for the first
  await test.pool.query('update command_bus_lane_entry set run_at = now() where command_id = $1', [due.commandId])
  await test.pool.query(`update pgmq.q_mail__commands set vt = now() where message->>'command_id' = $1`, [
    due.commandId,
  ])
  await work({
    domain: 'mail',
    handlers: {
      Send: async data => {
        began.push(numberOf(data))
        if (numberOf(data) === 1) await gate.promise
      },
    },
  })
  await until(
    () => entriesOf(test.pool),
    left => left.filter(({ state }) => state === 'waiting').length === 2,
  )
  gate.resolve()
  await until(
    () => entriesOf(test.pool),
    left => left.length === 1,
  )
  expect(began).toEqual([1, 2, 0])
  expect(await entriesOf(test.pool)).toEqual([{ lane: 'a', state: 'scheduled' }])
  expect(await bus.getCommand('mail', commandId)).not.toHaveProperty('place')
})

test('F5: one that is put off leaves its place to the others until it is due; one that is to run now keeps its place', async () => {
  const test = await createTestBus()
  const { bus, work } = test
  const began: number[] = []
  const gate = signal()
  await work({
    domain: 'mail',
    handlers: {
      Send: async data => {
        began.push(numberOf(data))
        if (numberOf(data) === 0) await gate.promise
      },
    },
  })
  const ids = await sendAll(test, [0, 1, 2, 3])
  await until(
    async () => began.length,
    n => n === 1,
  )
  await bus.reschedule('mail', ids[1] as string, { delaySeconds: 3_600 })
  await bus.reschedule('mail', ids[2] as string, { delaySeconds: 0 })
  const states = (list: readonly { readonly state: string }[]) => list.map(({ state }) => state).join()
  await until(
    () => entriesOf(test.pool),
    list => states(list) === 'admitted,scheduled,waiting,waiting',
  )
  expect(await bus.getCommand('mail', ids[2] as string)).toMatchObject({ place: 1, waitsFor: ids[0] })
  gate.resolve()
  await until(
    () => entriesOf(test.pool),
    list => states(list) === 'scheduled',
  )
  await bus.reschedule('mail', ids[1] as string, { delaySeconds: 0 })
  await allEnded(test)
  expect(began).toEqual([0, 2, 3, 1])
})

test.runIf(logIsSeparate)(
  'F5: one that is put off when a worker has its message already keeps its place: the next does not run beside it',
  async () => {
    const test = await createTestBus()
    const { bus, pool } = test
    const ids = await sendAll(test, [0, 1])
    const states = async () => (await entriesOf(pool)).map(({ state }) => state).join()
    await until(states, seen => seen === 'admitted,waiting')
    const read = await pool.query(`select msg_id from command_bus_read('mail__commands', 60, 1, null)`)
    expect(read.rows[0].msg_id).toBe('1')
    const moved = await bus.reschedule('mail', ids[0] as string, { delaySeconds: 3_600 })
    await until(
      () => bus.getCommand('mail', ids[0] as string),
      command => command?.runAt === moved.runAt && command?.revision === 1,
    )
    expect(await states()).toBe('admitted,waiting')
  },
)
