import type { CommandBus } from '../../../command-bus.ts'

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
  const withClient =
    (name: string, hasClient: (args: readonly unknown[]) => boolean) =>
    async (...args: unknown[]) => {
      if (!hasClient(args)) throw new Error(`bus.${name} without { client: context.client } is refused: ${why}`)
      return (Reflect.get(bus(), name) as (...given: readonly unknown[]) => unknown)(...args)
    }
  const clientAt = (at: number) => (args: readonly unknown[]) =>
    (args[at] as { readonly client?: unknown } | undefined)?.client !== undefined
  const sends = new Map<string, unknown>([
    ['send', withClient('send', clientAt(3))],
    ['sendBatch', withClient('sendBatch', clientAt(2))],
  ])
  return members(name => sends.get(name) ?? (reads.has(name) ? Reflect.get(bus(), name) : refuse(name, why)))
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
