import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  defineCommand,
  defineHandler,
  InvalidPayloadError,
  RequestTimedOutError,
  TransientCommandError,
  UnavailableError,
} from '../../src/index.ts'
import { type TestBus, testBus } from '../../src/testing/index.ts'
import { signal } from '../support/bus.ts'

const down = () => {
  throw new TransientCommandError('DOWN', 'not now')
}

test('K1: an expectation that does not hold tells what happened to the command', async () => {
  const bus = testBus({ handlers: { payments: { Charge: down } } })
  const { commandId } = await bus.send('payments', 'Charge', {}, { maxAttempts: 2 })
  await bus.runUntilSettled()
  bus.expect(commandId).toBeParked('DOWN').toHaveAttempts(2).toHaveNoReply().toHaveData({})
  expect(() => bus.expect(commandId).toBeCompleted()).toThrow(
    `expected payments Charge ${commandId} to be COMPLETED. It is IN_TROUBLESHOOTING_QUEUE:
  2026-01-01T00:00:00.000Z CommandSent by sender
  2026-01-01T00:00:00.000Z CommandReceived by worker:payments
  2026-01-01T00:00:00.000Z CommandFailed by worker:payments: DOWN not now
  2026-01-01T00:00:10.000Z CommandReceived by worker:payments
  2026-01-01T00:00:10.000Z CommandMovedToTroubleshooting by worker:payments: DOWN not now`,
  )
  const wrong: readonly (readonly [() => unknown, RegExp])[] = [
    [() => bus.expect(commandId).toBeParked('BROKEN'), /to have the error 'BROKEN', but it has 'DOWN'/],
    [() => bus.expect(commandId).toHaveAttempts(1), /to have attempts 1, but it has 2/],
    [() => bus.expect(commandId).toHaveReplied(), /to have replies 1, but it has 0/],
    [() => bus.expect(commandId).toHaveData({ a: 1 }), /to have the payload \{ a: 1 \}, but it has \{\}/],
    [() => bus.expect(commandId).toHaveEvents(['CommandSent']), /to have the events \[ 'CommandSent' \], but it has/],
    [() => bus.expect(crypto.randomUUID()).toBePending(), /to be there, but it was never sent/],
  ]
  for (const [check, sentence] of wrong) expect(check).toThrow(sentence)
})

test('K1: a handler gets its own copy of the payload, and what it returned cannot be changed later', async () => {
  const result = { n: 1 }
  const bus = testBus({
    handlers: {
      payments: {
        Charge: data => {
          Object.assign(data as object, { changed: true })
          return result
        },
      },
    },
  })
  const { commandId } = await bus.send('payments', 'Charge', { amount: 5 })
  await bus.runUntilIdle()
  result.n = 2
  bus.expect(commandId).toHaveData({ amount: 5 }).toBeCompleted({ n: 1 })
})

test('K1: defined commands are sent and checked as by the real bus', async () => {
  const charge = defineCommand('payments', 'Charge', z.object({ amount: z.number().positive() }))
  const handler = defineHandler({ command: charge, handle: ({ amount }) => amount * 2 })
  const bus = testBus({ handlers: { payments: { Charge: handler } } })
  const { commandId } = await bus.send(charge, { amount: 5 })
  const wrong = await bus.send('payments', 'Charge', { amount: -1 })
  await bus.runUntilIdle()
  bus.expect(commandId).toBeCompleted(10)
  bus.expect(wrong.commandId).toBeParked('INVALID_PAYLOAD')
  const edit = { operator: 'jane', data: { amount: 'x' } }
  await expect(bus.troubleshooting.retry('payments', wrong.commandId, edit)).rejects.toThrow(InvalidPayloadError)
})

test('K1: a request runs the bus, moves the clock no further than its timeout, and may be made by a handler', async () => {
  let failures = 0
  const bus: TestBus = testBus({
    handlers: {
      outer: { Ask: async () => (await bus.request('inner', 'Answer', {})).data },
      inner: { Answer: () => 42, Late: () => (failures++ < 2 ? down() : 'late') },
    },
  })
  const caller = bus.as({ subject: 'ann', tenant: null, roles: ['SENDER'] })
  expect((await caller.request('outer', { commandType: 'Ask', data: {} })).data).toBe(42)
  expect(bus.now().toISOString()).toBe('2026-01-01T00:00:00.000Z')
  await expect(bus.request('inner', 'Late', {}, { timeoutMs: 5_000 })).rejects.toThrow(RequestTimedOutError)
  expect(bus.now().toISOString()).toBe('2026-01-01T00:00:05.000Z')
  failures = 1
  expect((await bus.request('inner', 'Late', {})).data).toBe('late')
  expect(bus.now().toISOString()).toBe('2026-01-01T00:00:15.000Z')
})

test('K1: a handler that takes its time is shown as running, and its deadline ends it', async () => {
  const go = signal()
  const bus = testBus({
    handlers: {
      payments: {
        Slow: async () => go.promise,
        Endless: { timeoutMs: 30, handle: () => new Promise<void>(() => {}) },
      },
    },
    worker: { concurrency: 2 },
  })
  const { commandId } = await bus.send('payments', 'Slow', {})
  const idle = bus.runUntilIdle()
  while ((await bus.getCommand('payments', commandId))?.status !== 'IN_PROGRESS') await new Promise(setImmediate)
  // the lease of a handler that runs is extended
  const later = bus.advance({ minutes: 5 })
  const endless = await bus.send('payments', 'Endless', {}, { maxAttempts: 1 })
  while ((await bus.getCommand('payments', endless.commandId))?.status !== 'IN_TROUBLESHOOTING_QUEUE')
    await new Promise(setImmediate)
  bus.expect(endless.commandId).toBeParked('TIMEOUT')
  bus.expect(commandId).toBeInProgress()
  go.resolve()
  await idle
  await later
  bus.expect(commandId).toBeCompleted().toHaveAttempts(1)
})

test('K1: a bus whose store is away from the beginning works when it is back', async () => {
  const bus = testBus({ handlers: { payments: { Charge: () => 'done' } } })
  const back = bus.inject.storeAway()
  await bus.runUntilIdle()
  await expect(bus.queryCommands()).rejects.toThrow(UnavailableError)
  back()
  const { commandId } = await bus.send('payments', 'Charge', {})
  await bus.runUntilIdle()
  bus.expect(commandId).toBeCompleted('done')
})

test('K1: a worker of the test starts and stops like the real one; what it gave up is tried again', async () => {
  const bus = testBus()
  const began = signal()
  const worker = bus.worker({
    domain: 'payments',
    handlers: {
      Charge: () => {
        began.resolve()
        return new Promise<void>(() => {})
      },
    },
  })
  const { commandId } = await bus.send('payments', 'Charge', {})
  await bus.runUntilIdle()
  bus.expect(commandId).toBePending()
  await worker.start()
  expect(worker.health()).toEqual({ status: 'healthy', reasons: [] })
  const idle = bus.runUntilIdle()
  await began.promise
  await worker.stop({ deadlineMs: 0 })
  await idle
  bus.expect(commandId).toBePending().toHaveError('WORKER_STOPPED').toHaveAttempts(1)
  await bus.worker({ domain: 'payments', handlers: { Charge: () => 'done' } }).start()
  await bus.runUntilSettled()
  bus.expect(commandId).toBeCompleted('done')
  await bus.close()
  await expect(bus.send('payments', 'Charge', {})).rejects.toThrow(UnavailableError)
})

test('K1: schedules send at their times, with a pause in between', async () => {
  const times: string[] = []
  const bus = testBus({
    handlers: { reports: { Hourly: () => void times.push(bus.now().toISOString().slice(11, 16)) } },
  })
  await bus.schedules.set('hourly', { domain: 'reports', commandType: 'Hourly', data: {}, cron: '15 * * * *' })
  await bus.advance({ hours: 2 })
  const { pauseId } = await bus.pause({ domain: 'reports', reason: 'a look', until: '2026-01-01T05:00:00Z' })
  await bus.advance({ hours: 2 })
  expect(times).toEqual(['00:15', '01:15'])
  expect(await bus.pauses()).toMatchObject([{ pauseId }])
  await bus.advance({ hours: 1 })
  expect(await bus.pauses()).toEqual([])
  expect(times).toEqual(['00:15', '01:15', '05:00', '05:00', '05:00'])
  expect(await bus.schedules.get('hourly')).toMatchObject({ lastTime: '2026-01-01T04:15:00.000Z' })
  const { commandId } = await bus.send('nobody', 'Wait', {})
  await bus.runUntilSettled()
  bus.expect(commandId).toBePending()
  expect(bus.now().toISOString()).toBe('2026-01-01T05:00:00.000Z')
})

test('K1: lists have pages, newest first, as those of PostgreSQL', async () => {
  const bus = testBus({ handlers: { payments: { Charge: down } } })
  const ids: string[] = []
  for (let n = 0; n < 5; n++) {
    ids.unshift((await bus.send('payments', 'Charge', { n }, { maxAttempts: 1 })).commandId)
    await bus.advance({ seconds: 1 })
  }
  const seen: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await bus.troubleshooting.list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) })
    expect(page.total).toBe(5)
    seen.push(...page.items.map(({ commandId }) => commandId))
    cursor = page.nextCursor
  }
  expect(seen).toEqual(ids)
  expect((await bus.queryCommands({ createdBefore: '2026-01-01T00:00:02Z' })).items.map(c => c.commandId)).toEqual(
    ids.slice(3),
  )
  expect(await bus.troubleshooting.list({ q: ids[0]?.slice(-6) as string })).toMatchObject({ total: 1 })
})
