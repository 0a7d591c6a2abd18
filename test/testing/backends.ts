import { parseReply, type Reply } from '../../src/application/replies/reply.ts'
import type {
  CommandBus,
  CommandDetail,
  CommandStatus,
  Handler,
  HandlerContext,
  Json,
  RetryOptions,
} from '../../src/index.ts'
import { testBus } from '../../src/testing/index.ts'
import { createTestBus, until } from '../support/bus.ts'

/** By domain and command type. */
export type Handlers = { readonly [domain: string]: { readonly [commandType: string]: Handle } }
export type Handle = (data: Json, context: HandlerContext) => Promise<unknown> | unknown

export interface Seen {
  readonly status: CommandStatus
  readonly totalAttempts?: number
}

/** A bus, and what a test needs to say when its workers work and what happens to them. */
export interface Backend {
  readonly bus: CommandBus
  /** Lets workers work until the command is so; returns it. */
  readonly see: (domain: string, commandId: string, seen: Seen) => Promise<CommandDetail>
  /** Lets workers work, and does not wait. */
  readonly work: () => Promise<void>
  readonly advance: (seconds: number) => Promise<void>
  readonly inject: {
    readonly [Name in 'crashBeforeReport' | 'crashAfterReport' | 'duplicateDelivery' | 'leaseLost']: (
      commandType: string,
    ) => void
  }
  /** Returns what brings it back. */
  readonly storeAway: () => Promise<() => Promise<void>>
  readonly repliesOn: (queue: string) => Promise<readonly Reply[]>
}

export type Open = (
  handlers: Handlers,
  options?: { readonly policies?: { readonly [commandType: string]: RetryOptions } },
) => Promise<Backend>

const fits = (found: CommandDetail | null, { status, totalAttempts }: Seen): found is CommandDetail =>
  found?.status === status && (totalAttempts === undefined || found.totalAttempts === totalAttempts)

export const inMemory: Open = async (handlers, options) => {
  const bus = testBus({ ...options, handlers: handlers as { [domain: string]: { [type: string]: Handler } } })
  return {
    bus,
    see: async (domain, commandId, seen) => {
      await bus.runUntilIdle()
      const found = await bus.getCommand(domain, commandId)
      if (!fits(found, seen)) throw new Error(`${JSON.stringify(seen)} is expected, not ${JSON.stringify(found)}`)
      return found
    },
    work: async () => void bus.runUntilIdle(),
    advance: seconds => bus.advance({ seconds }),
    inject: bus.inject,
    storeAway: async () => {
      const back = bus.inject.storeAway()
      return async () => back()
    },
    repliesOn: async queue => bus.repliesOn(queue),
  }
}

/**
 * The real bus with its workers, which work from the first `see` on. What is to happen to an attempt is done by hand: with the
 * functions that workers call, and with a second worker.
 */
export const onPostgresql: Open = async (handlers, options = {}) => {
  const { bus, pool, database, another, messages } = await createTestBus(options)
  const other = another()
  const planned: string[] = []
  let workers: Awaited<ReturnType<typeof start>> = []

  const queueOf = (domain: string): string => `${domain}__commands`
  const isPlanned = (incident: string, commandType: string): boolean => {
    const place = planned.indexOf(`${incident} ${commandType}`)
    if (place >= 0) planned.splice(place, 1)
    return place >= 0
  }

  /** What another worker does until `done` holds. */
  const otherWorker = async (domain: string, done: () => Promise<boolean>): Promise<void> => {
    const worker = other.worker({ domain, handlers: handlers[domain] as { [type: string]: Handler }, pollMs: 20 })
    await worker.start()
    await until(done, is => is)
    await worker.stop()
  }

  const watched =
    (handle: Handle): Handle =>
    async (data, context) => {
      const { domain, commandId, commandType } = context.command
      const result = await handle(data, context)
      const ofCommand = [commandId]
      if (isPlanned('leaseLost', commandType)) {
        await pool.query(
          `update pgmq.q_${queueOf(domain)} set vt = clock_timestamp() where message->>'command_id' = $1`,
          ofCommand,
        )
        await otherWorker(domain, async () => (await bus.getCommand(domain, commandId))?.status === 'COMPLETED')
      }
      if (isPlanned('duplicateDelivery', commandType)) {
        await pool.query(
          `select pgmq.send($1, (select message from pgmq.q_${queueOf(domain)} where message->>'command_id' = $2))`,
          [queueOf(domain), ...ofCommand],
        )
        await otherWorker(domain, async () => (await messages(queueOf(domain))).length <= 1)
      }
      return result
    }

  const start = async () => {
    const all = Object.entries(handlers).map(([domain, ofDomain]) =>
      bus.worker({
        domain,
        concurrency: 1,
        pollMs: 20,
        handlers: Object.fromEntries(
          Object.entries(ofDomain).map(([type, handle]) => [type, watched(handle)]),
        ) as unknown as { [type: string]: Handler },
      }),
    )
    await Promise.all(all.map(worker => worker.start()))
    return all
  }

  /** Workers that die: they read as others do, run the handler, and report nothing. */
  const die = async (): Promise<void> => {
    for (const [domain, ofDomain] of Object.entries(handlers)) {
      for (const [type, handle] of Object.entries(ofDomain)) {
        if (!isPlanned('crashBeforeReport', type)) continue
        const { rows } = await pool.query('select data from command_bus_read($1, 30, 1, null)', [queueOf(domain)])
        await handle(rows[0].data.data, {} as HandlerContext)
      }
    }
  }

  const readOnly = async (how: 'on' | 'off'): Promise<void> => {
    const client = await pool.connect()
    const name = new URL(database.url).pathname.slice(1)
    await client.query('set default_transaction_read_only = off')
    await client.query(`alter database ${name} set default_transaction_read_only = ${how}`)
    await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    client.release()
  }

  const work = async (): Promise<void> => {
    if (workers.length === 0) workers = await start()
  }

  return {
    bus,
    work,
    see: async (domain, commandId, seen) => {
      await die()
      await work()
      const found = await until(
        () => bus.getCommand(domain, commandId).catch(() => null),
        one => fits(one, seen),
      )
      return found as CommandDetail
    },
    advance: async seconds => {
      const { rows } = await pool.query('select queue_name from pgmq.list_queues()')
      for (const { queue_name: queue } of rows)
        await pool.query(`update pgmq.q_${queue} set vt = vt - make_interval(secs => $1)`, [seconds])
    },
    inject: {
      crashBeforeReport: type => void planned.push(`crashBeforeReport ${type}`),
      // the transaction of its report has removed the message: there is nothing left to do
      crashAfterReport: () => {},
      duplicateDelivery: type => void planned.push(`duplicateDelivery ${type}`),
      leaseLost: type => void planned.push(`leaseLost ${type}`),
    },
    storeAway: async () => {
      await readOnly('on')
      return () => readOnly('off')
    },
    repliesOn: async queue =>
      (await messages(queue)).flatMap(({ message }) => {
        const reply = parseReply(message)
        return reply === null ? [] : [reply]
      }),
  }
}
