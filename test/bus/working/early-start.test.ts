import { describe, expect, test } from 'vitest'
import { defineHandler, type SendOptions, type WorkerOptions } from '../../../src/index.ts'
import { createTestBus, logIsSeparate, type QueueMessage, signal } from '../../support/bus.ts'
import { OF_THIS_DATABASE } from '../../support/database.ts'

const LOCK = 4711

/** A bus with a worker whose reads can be held before their commit, until `release` or `undo`. */
const withReads = async (options: Omit<WorkerOptions, 'domain'>) => {
  const made = await createTestBus()
  const { bus, pool, database, until, work } = made
  const worker = await work({ domain: 'payments', ...options })
  await pool.query(`
    create function hold() returns trigger language plpgsql as $$
      begin perform pg_advisory_xact_lock_shared(${LOCK}); return null; end $$;
    create constraint trigger hold after update on pgmq.q_payments__commands deferrable initially deferred
      for each row when (new.read_ct > old.read_ct) execute function hold()`)
  const holder = await database.pool.connect()
  // a test that fails leaves it to the end of its database
  holder.on('error', () => {})
  const hold = () => holder.query(`select pg_advisory_lock(${LOCK})`)
  const held = async (): Promise<readonly number[]> => {
    const { rows } = await pool.query(
      `select pid from pg_locks where locktype = 'advisory' and objid = ${LOCK} and not granted and ${OF_THIS_DATABASE}`,
    )
    return rows.map(({ pid }) => pid)
  }
  const release = async (): Promise<void> => {
    await holder.query(`select pg_advisory_unlock(${LOCK})`)
    holder.release()
  }
  return {
    ...made,
    worker,
    hold,
    release,
    isHeld: () => until(held, pids => pids.length > 0),
    /** The reads that wait are never committed; those that come later are. */
    undo: async () => {
      const pids = await until(held, found => found.length > 0)
      await pool.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [pids])
      await release()
    },
    /** Something takes its whole way through the same database. */
    meanwhile: async () => {
      const { commandId } = await bus.send('other', 'Note', {})
      await work({ domain: 'other', handlers: { Note: async () => {} } })
      await until(
        () => bus.getCommand('other', commandId),
        command => command?.status === 'COMPLETED',
      )
    },
    ended: (commandId: string) =>
      until(
        () => bus.getCommand('payments', commandId),
        command => command?.status === 'COMPLETED',
      ),
    /** The types of its events, without the receipt that a slower handler has. */
    events: async (commandId: string) =>
      (await bus.getHistory('payments', commandId)).items
        .map(({ event }) => event.type)
        .filter(type => type !== 'CommandReceived'),
  }
}

/** The same, held from the beginning. */
const withHeldReads = async (options: Omit<WorkerOptions, 'domain'>) => {
  const reads = await withReads(options)
  await reads.hold()
  return reads
}

const ONCE = ['CommandSent', 'CommandCompleted']

test('a handler begins while its read is being committed; its outcome is recorded once the read is durable', async () => {
  const ran = signal()
  const { bus, isHeld, meanwhile, events, release, ended } = await withHeldReads({
    handlers: { Charge: async () => ran.resolve() },
  })
  const { commandId } = await bus.send('payments', 'Charge', {})
  await ran.promise
  await isHeld()
  await meanwhile()
  expect(await events(commandId)).toEqual(['CommandSent'])
  await release()
  expect(await ended(commandId)).toMatchObject({ totalAttempts: 1 })
  expect(await events(commandId)).toEqual(ONCE)
})

test.each([
  { when: 'has ended', ends: true },
  { when: 'goes on', ends: false },
])(
  'after a read that was undone the attempt stays whose handler $when: the worker does not begin it again',
  async ({ ends }) => {
    const began = signal()
    const go = signal()
    let runs = 0
    const { bus, undo, until, ended, events, messages } = await withHeldReads({
      handlers: {
        Charge: async () => {
          runs++
          began.resolve()
          if (!ends) await go.promise
        },
      },
    })
    const { commandId } = await bus.send('payments', 'Charge', {}, { maxAttempts: 1 })
    await began.promise
    await undo()
    if (!ends) {
      // the worker has read it once more
      await until(
        () => messages('payments__commands'),
        ([message]) => message?.read_ct === 1,
      )
    }
    go.resolve()
    expect(await ended(commandId)).toMatchObject({ totalAttempts: 1 })
    expect(await events(commandId)).toEqual(ONCE)
    if (!ends) expect(runs).toBe(1)
  },
)

test('a read of 20 that is undone, beside another worker: the first outcome of each command is recorded, once', async () => {
  const all = signal()
  const go = signal()
  let begun = 0
  const { bus, another, work, hold, undo, until, messages, ended, events } = await withReads({
    concurrency: 20,
    handlers: {
      Charge: async () => {
        if (++begun === 20) all.resolve()
        await go.promise
      },
    },
  })
  const { pauseId } = await bus.pause({ domain: 'payments', reason: 'until all are there' })
  const sent = await Promise.all(Array.from({ length: 20 }, () => bus.send('payments', 'Charge', {})))
  await until(
    () => messages('payments__commands'),
    there => there.length === 20,
  )
  await hold()
  await bus.resume(pauseId)
  await all.promise
  await work({ domain: 'payments', concurrency: 20, handlers: { Charge: async () => {} } }, another())
  await undo()
  go.resolve()
  for (const { commandId } of sent) {
    expect(await ended(commandId)).toMatchObject({ totalAttempts: 1 })
    expect(await events(commandId)).toEqual(ONCE)
  }
})

interface Careful {
  readonly what: string
  readonly options?: SendOptions
  readonly transactional?: true
}

test.each<Careful>([
  { what: 'in a lane', options: { key: 'account 1' } },
  { what: 'that can expire', options: { expiresInSeconds: 3_600 } },
  ...(logIsSeparate ? [] : [{ what: 'with a transactional handler', transactional: true } as const]),
])(
  'the handler of a command $what begins when its read is durable: the log has its receipt by then',
  async ({ options = {}, transactional = false }) => {
    let began = false
    const { bus, isHeld, meanwhile, release, ended } = await withHeldReads({
      handlers: {
        Charge: defineHandler({
          transactional,
          handle: async () => {
            began = true
          },
        }),
      },
    })
    const { commandId } = await bus.send('payments', 'Charge', {}, options)
    await isHeld()
    await meanwhile()
    expect(began).toBe(false)
    await release()
    await ended(commandId)
  },
)

test('a handler that extends its lease waits until its read is durable', async () => {
  const asked = signal()
  const { bus, pool, isHeld, meanwhile, release, ended, messages } = await withHeldReads({
    handlers: {
      Charge: async (_, context) => {
        const extended = context.extendVisibility(3_600)
        asked.resolve()
        await extended
        const { rows } = await pool.query(
          `select vt > now() + interval '50 min' as later from pgmq.q_payments__commands`,
        )
        return rows[0]
      },
    },
  })
  const { commandId } = await bus.send('payments', 'Charge', {})
  await asked.promise
  await isHeld()
  await meanwhile()
  await release()
  expect((await ended(commandId))?.totalAttempts).toBe(1)
  expect(await messages('payments__commands')).toEqual([])
  const reply = (await bus.getHistory('payments', commandId)).items.at(-1)?.event
  expect(reply).toMatchObject({ type: 'CommandCompleted', result: { later: true } })
})

describe('messages that go back while their read is being committed', () => {
  const many = (count: number) => Array.from({ length: count }, () => ({ commandType: 'Charge', data: {} }))

  /** A worker with one slot that has begun the first of 20 commands, and has read the others ahead; the handler runs until `go`. */
  const withBuffer = async () => {
    const began = signal()
    const go = signal()
    let isHeld = false
    const reads = await withReads({
      concurrency: 1,
      handlers: {
        Charge: async () => {
          if (!isHeld) return
          began.resolve()
          await go.promise
        },
      },
    })
    const { bus, hold, until, messages, pool } = reads
    // quick ones first, so that it reads ahead
    await bus.sendBatch('payments', many(50))
    await until(
      () => messages('payments__commands'),
      left => left.length === 0,
    )
    await pool.query('delete from command_bus_command')
    await hold()
    isHeld = true
    await bus.sendBatch('payments', many(20))
    await began.promise
    await reads.isHeld()
    const attempts = async (): Promise<readonly number[]> => {
      const { rows } = await pool.query('select total_attempts from command_bus_command order by 1')
      return rows.map(row => row.total_attempts)
    }
    return { ...reads, go, attempts }
  }

  const zeros = (count: number): number[] => Array(count).fill(0)
  const counts = (messages: readonly QueueMessage[]) => messages.map(({ read_ct }) => read_ct).toSorted()

  test('a stop gives back what nobody began, and its read does not count', async () => {
    const { worker, meanwhile, release, messages, go } = await withBuffer()
    const stopped = worker.stop({ deadlineMs: 30_000 })
    await meanwhile()
    await release()
    go.resolve()
    await stopped
    const left = await messages('payments__commands')
    expect(counts(left)).toEqual(zeros(19))
    expect(left.filter(({ vt }) => vt.getTime() > Date.now() + 1_000)).toEqual([])
  })

  test('so does a crash, after which the attempt that ran does not count either', async () => {
    const { pool, worker, meanwhile, release, until, messages } = await withBuffer()
    const crashed = worker.crashed(new Error('broken'), { withinMs: 30_000 })
    await meanwhile()
    await release()
    await crashed
    const failed = `select 1 from command_bus_command where last_error_code = 'WORKER_CRASHED'`
    await until(
      () => pool.query(failed),
      ({ rowCount }) => rowCount === 1,
    )
    expect(counts(await messages('payments__commands'))).toEqual(zeros(20))
  })

  test.each(['stop', 'crash'])('a %s records nothing of a read that was undone', async how => {
    const { worker, undo, messages, attempts } = await withBuffer()
    const ended =
      how === 'stop' ? worker.stop({ deadlineMs: 0 }) : worker.crashed(new Error('broken'), { withinMs: 30_000 })
    await undo()
    await ended
    expect(counts(await messages('payments__commands'))).toEqual(zeros(20))
    expect(await attempts()).toEqual(zeros(20))
  })

  test('a pause puts aside what was read, and the read does not count', async () => {
    const { bus, until, meanwhile, release, messages, go } = await withBuffer()
    await bus.pause({ domain: 'payments', commandType: 'Charge', reason: 'incident' })
    await meanwhile()
    await release()
    go.resolve()
    const left = await until(
      () => messages('payments__commands'),
      all => all.length === 19 && all.every(({ vt }) => vt.getTime() > Date.now() + 60_000),
    )
    expect(counts(left)).toEqual(zeros(19))
  })

  test('a message that the worker itself reads again stays with the attempt that runs', async () => {
    const began = signal()
    const go = signal()
    const signals: AbortSignal[] = []
    const { bus, pool, hold, isHeld, release, until, messages, ended, events } = await withReads({
      handlers: {
        Charge: async (_, context) => {
          signals.push(context.signal)
          began.resolve()
          await go.promise
        },
      },
    })
    const { commandId } = await bus.send('payments', 'Charge', {})
    await began.promise
    await until(
      () => bus.getCommand('payments', commandId),
      command => command?.status === 'IN_PROGRESS',
    )
    await hold()
    // its lease has ended
    await pool.query('update pgmq.q_payments__commands set vt = clock_timestamp()')
    await isHeld()
    await release()
    await until(
      () => messages('payments__commands'),
      ([message]) => message?.read_ct === 1 && message.vt.getTime() > Date.now() + 10_000,
    )
    go.resolve()
    expect(await ended(commandId)).toMatchObject({ totalAttempts: 1 })
    expect(await events(commandId)).toEqual(ONCE)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  })
})
