import { expect, test } from 'vitest'
import { defineHandler, type SendOptions, type WorkerOptions } from '../../../src/index.ts'
import { createTestBus, logIsSeparate, signal } from '../../support/bus.ts'
import { OF_THIS_DATABASE } from '../../support/database.ts'

const LOCK = 4711

/** A bus with a worker whose reads wait before their commit, until `release` or `undo`. */
const withHeldReads = async (options: Omit<WorkerOptions, 'domain'>) => {
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
  await holder.query(`select pg_advisory_lock(${LOCK})`)
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

test('after a read that was undone its handlers go on, and the same worker does not begin their commands again', async () => {
  const go = signal()
  const both = signal()
  let slow = 0
  const { bus, undo, until, ended, events, messages } = await withHeldReads({
    concurrency: 2,
    handlers: {
      Quick: async () => {
        if (slow > 0) both.resolve()
      },
      Slow: async () => {
        slow++
        both.resolve()
        await go.promise
      },
    },
  })
  const sent = await bus.sendBatch(
    'payments',
    ['Slow', 'Quick'].map(commandType => ({ commandType, data: {}, maxAttempts: 1 })),
  )
  await both.promise
  await undo()
  // the worker has read it once more
  await until(
    () => messages('payments__commands'),
    ([message]) => message?.read_ct === 1,
  )
  go.resolve()
  for (const { commandId } of sent) {
    expect(await ended(commandId)).toMatchObject({ totalAttempts: 1 })
    expect(await events(commandId)).toEqual(ONCE)
  }
  expect(slow).toBe(1)
})

test('20 reads that are undone at once, beside another worker: the first outcome of each command is recorded, once', async () => {
  const all = signal()
  const go = signal()
  let begun = 0
  const { bus, another, work, undo, ended, events } = await withHeldReads({
    concurrency: 20,
    handlers: {
      Charge: async () => {
        if (++begun === 20) all.resolve()
        await go.promise
      },
    },
  })
  const sent = await Promise.all(Array.from({ length: 20 }, () => bus.send('payments', 'Charge', {})))
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

test('a worker that stops while a read is being committed gives back what nobody began, and the read does not count', async () => {
  const { bus, isHeld, worker, release, messages } = await withHeldReads({
    concurrency: 1,
    handlers: { Charge: async () => {} },
  })
  await bus.send('payments', 'Charge', {}, { key: 'account 1' })
  await isHeld()
  const stopped = worker.stop({ deadlineMs: 5_000 })
  await release()
  await stopped
  expect(await messages('payments__commands')).toMatchObject([{ read_ct: 0 }])
})
