import type { ClientBase } from 'pg'
import type { CommandBus } from '../../../command-bus.ts'
import { commandQueue } from '../../../domain/command/names.ts'
import type { Priority } from '../../../domain/flow/priority.ts'

/** Reads that handlers of a rehearsal may make. */
const reads = new Set([
  'getCommand',
  'findCommand',
  'queryCommands',
  'getAuditTrail',
  'getAttempts',
  'getHistory',
  'getCorrelation',
])

/** An object whose members are found by `of`. It is not mistaken for a promise. */
const members = (of: (name: string) => unknown): unknown =>
  new Proxy({}, { get: (_, name) => (typeof name === 'symbol' || name === 'then' ? undefined : of(name)) })

const refuse = (name: string, why: string): (() => Promise<never>) => {
  const call = (): Promise<never> => Promise.reject(new Error(`bus.${name} is refused: ${why}`))
  // also for the calls of its members, as in `bus.operations.start`
  return new Proxy(call, {
    get: (target, member) => (member in target || typeof member === 'symbol' ? Reflect.get(target, member) : call),
  })
}

/** The bus of handlers that are not called. */
export const noBus = (why: string): unknown => members(name => refuse(name, why))

/**
 * The bus as handlers have it in a rehearsal: it sends in their transaction, which is rolled back, and reads. All else would stay.
 * It is made at the first call.
 */
export const rehearsalBus = (make: () => CommandBus): unknown => {
  let made: CommandBus | null = null
  const bus = (): CommandBus => {
    made ??= make()
    return made
  }
  const why = 'a rehearsal could not undo it; leave it out while `context.rehearsal` is true'
  const sending =
    (name: 'send' | 'sendBatch', at: number) =>
    async (...args: readonly unknown[]): Promise<unknown> => {
      const { client } = (args[at] ?? {}) as { readonly client?: ClientBase }
      if (client === undefined) throw new Error(`bus.${name} without { client: context.client } is refused: ${why}`)
      await makeQueues(client, args[0], name === 'send' ? [args[3]] : args[1])
      return (Reflect.get(bus(), name) as (...given: readonly unknown[]) => Promise<unknown>)(...args)
    }
  const sends = new Map<string, unknown>([
    ['send', sending('send', 3)],
    ['sendBatch', sending('sendBatch', 2)],
  ])
  return members(name => sends.get(name) ?? (reads.has(name) ? Reflect.get(bus(), name) : refuse(name, why)))
}

/** In the transaction: the bus makes a missing queue outside of it, and that would stay. */
const makeQueues = async (client: ClientBase, domain: unknown, commands: unknown): Promise<void> => {
  const all = (Array.isArray(commands) ? commands : []) as readonly { priority?: Priority; replyTo?: unknown }[]
  const ofCommands = typeof domain === 'string' ? all.map(one => commandQueue(domain, one?.priority)) : []
  const queues = new Set([...ofCommands, ...all.map(one => one?.replyTo)].filter(queue => typeof queue === 'string'))
  await client.query(
    `select command_bus_make_queue(q.queue) from unnest($1::text[]) q (queue)
     where not exists (select from pgmq.meta m where m.queue_name = q.queue)`,
    [[...queues]],
  )
}

/** A bus that is opened later, for handlers that are made before. */
export const laterBus = (): { readonly bus: unknown; readonly open: (bus: CommandBus) => void } => {
  let opened: CommandBus | null = null
  return {
    bus: members(name => memberOf(() => opened, name)),
    open: bus => {
      opened = bus
    },
  }
}

/** A member that handlers may take out before the bus is open, as in `({ send }) => ({ ... })`. */
const memberOf = (opened: () => CommandBus | null, name: string): unknown => {
  const bus = opened()
  if (bus !== null) return Reflect.get(bus, name)
  return (...args: readonly unknown[]) => {
    const member: unknown = Reflect.get(opened() ?? {}, name)
    if (typeof member !== 'function') throw new Error(`bus.${name} cannot be called while handlers are made`)
    return member(...args)
  }
}
