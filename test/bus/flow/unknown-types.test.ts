import { expect, test } from 'vitest'
import { InvalidInputError, type OnUnknownType } from '../../../src/index.ts'
import { createTestBus } from '../../support/bus.ts'
import { auditNames, isParked } from '../../support/park.ts'

const QUEUE = 'payments__commands'
const onUnknownType: OnUnknownType = { deferSeconds: 2 }
const PERIOD_MS = 2_000

/** The clock of the bus stands still, so that the period ends when the test says so. */
const withStillClock = async () => {
  let ms = Date.now()
  let seen = 0
  const noted: string[] = []
  const note = (_: object, message: string): void => void noted.push(message)
  const setup = await createTestBus({
    clock: { now: () => new Date(ms), random: Math.random },
    log: { debug: () => {}, info: () => {}, warn: note, error: note },
  })
  const old = (workerId: string) =>
    setup.work({ domain: 'payments', handlers: { Known: () => null }, workerId, onUnknownType })
  return {
    ...setup,
    old,
    pass: (more: number): void => {
      ms += more
    },
    /** Once every message was read again and put off: it waits until later, and its read was taken back. */
    deferred: async (): Promise<void> => {
      const all = await setup.until(
        () => setup.messages(QUEUE),
        found =>
          found.length > 0 &&
          found.every(
            ({ read_ct, enqueued_at, vt }) =>
              read_ct === 0 && vt.getTime() > Math.max(seen, enqueued_at.getTime() + 100),
          ),
      )
      seen = Math.max(...all.map(({ vt }) => vt.getTime()))
    },
    unknown: () => noted.filter(message => message.startsWith('no handler is registered')).length,
  }
}

test('F11: a worker that does not know a type leaves it to another one, and nothing is parked or counted', async () => {
  const { bus, old, work, until, deferred, unknown } = await withStillClock()
  await old('old')
  const sent = await Promise.all([1, 2, 3].map(() => bus.send('payments', 'New', {}, { maxAttempts: 1 })))
  await deferred()
  expect(unknown()).toBe(1)
  for (const { commandId } of sent) {
    expect(await bus.getCommand('payments', commandId)).toMatchObject({ status: 'PENDING', attempts: 0 })
    expect(await auditNames(bus, 'payments', commandId)).toEqual(['SENT'])
  }
  await work({ domain: 'payments', handlers: { New: () => 'done' }, workerId: 'new' })
  for (const { commandId } of sent) {
    const done = await until(
      () => bus.getCommand('payments', commandId),
      command => command?.status !== 'PENDING' && command?.status !== 'IN_PROGRESS',
    )
    expect(done).toMatchObject({ status: 'COMPLETED', attempts: 1, totalAttempts: 1, result: 'done' })
    expect(await auditNames(bus, 'payments', commandId)).toEqual(['SENT', 'RECEIVED', 'COMPLETED'])
  }
})

test('F11: after the period it is parked as before, and a retry by an operator has a period of its own', async () => {
  const { bus, old, until, pass, deferred } = await withStillClock()
  await old('old')
  const { commandId } = await bus.send('payments', 'New', {})
  await deferred()
  pass(PERIOD_MS - 1)
  await deferred()
  expect(await bus.getCommand('payments', commandId)).toMatchObject({ status: 'PENDING', attempts: 0 })
  pass(1)
  const parked = await until(() => bus.getCommand('payments', commandId), isParked)
  expect(parked).toMatchObject({ parkedReason: 'NO_HANDLER', attempts: 1, totalAttempts: 1 })
  const before = await auditNames(bus, 'payments', commandId)
  pass(10 * PERIOD_MS)
  await bus.troubleshooting.retry('payments', commandId, { operator: 'jane@example.com' })
  await deferred()
  expect(await auditNames(bus, 'payments', commandId)).toEqual([...before, 'OPERATOR_RETRY'])
  pass(PERIOD_MS)
  await until(() => bus.getCommand('payments', commandId), isParked)
})

test('F11: neither a backlog nor a restart of the worker parks early', async () => {
  const { bus, old, until, pass, deferred } = await withStillClock()
  const { commandId } = await bus.send('payments', 'New', {})
  pass(10 * PERIOD_MS)
  const first = await old('first')
  await deferred()
  pass(PERIOD_MS - 1)
  await first.stop()
  await old('second')
  pass(PERIOD_MS - 1)
  await deferred()
  expect(await bus.getCommand('payments', commandId)).toMatchObject({ status: 'PENDING', attempts: 0 })
  pass(PERIOD_MS)
  await until(() => bus.getCommand('payments', commandId), isParked)
})

test('F11: a period that is none is refused', async () => {
  const { bus } = await createTestBus()
  for (const given of ['defer', null, 60, {}, { deferSeconds: 0 }, { deferSeconds: 1.5 }, { deferSeconds: 86_401 }]) {
    const options = { domain: 'payments', onUnknownType: given as unknown as OnUnknownType }
    expect(() => bus.worker(options)).toThrow(InvalidInputError)
    expect(() => bus.worker(options)).toThrow(
      "onUnknownType: must be 'park', or { deferSeconds } with a whole number from 1 to 86400",
    )
  }
})
