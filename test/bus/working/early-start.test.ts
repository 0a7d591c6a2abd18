import { once } from 'node:events'
import { expect, test } from 'vitest'
import { defineHandler, type HandlerContext, type SendOptions, type WorkerOptions } from '../../../src/index.ts'
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
    events: async (commandId: string) =>
      (await bus.getHistory('payments', commandId)).items.map(({ event }) => event.type),
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

test('a read that is undone leaves no trace: its handlers are told, and their outcomes are dropped', async () => {
  const contexts: HandlerContext[] = []
  const both = signal()
  const { bus, isHeld, undo, ended, events } = await withHeldReads({
    concurrency: 2,
    handlers: {
      // the first attempt fails before the end of its read
      Quick: async (_, context) => {
        if (contexts.push(context) === 2) both.resolve()
        if (contexts.length <= 2) throw new Error('of a read that never was')
      },
      Slow: async (_, context) => {
        if (contexts.push(context) === 2) both.resolve()
        if (contexts.length <= 2) await once(context.signal, 'abort')
      },
    },
  })
  const sent = await bus.sendBatch(
    'payments',
    ['Quick', 'Slow'].map(commandType => ({ commandType, data: {}, maxAttempts: 1 })),
  )
  await both.promise
  await isHeld()
  await undo()
  for (const { commandId } of sent) {
    expect(await ended(commandId)).toMatchObject({ totalAttempts: 1 })
    expect(await events(commandId)).toEqual(ONCE)
  }
  expect(contexts.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1])
  expect(contexts.slice(0, 2).map(({ signal }) => String(signal.reason))).toContain(
    'Error: the read of this message was undone',
  )
})

test('20 reads that are undone at once: each command has one attempt in the log, and each is completed once', async () => {
  let begun = 0
  const all = signal()
  const { bus, undo, ended, events } = await withHeldReads({
    concurrency: 20,
    handlers: {
      Charge: async () => {
        if (++begun === 20) all.resolve()
      },
    },
  })
  const sent = await Promise.all(Array.from({ length: 20 }, () => bus.send('payments', 'Charge', {})))
  await all.promise
  await undo()
  for (const { commandId } of sent) {
    await ended(commandId)
    expect(await events(commandId)).toEqual(ONCE)
  }
  expect(begun).toBe(40)
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
