import type { EventEmitter } from 'node:events'
import type { Client, Pool } from 'pg'
import type { Log } from '../../../application/ports/log.ts'
import type { Doorbell } from '../../../application/ports/queue.ts'
import { timeoutOf } from '../connection/database.ts'

const CHANNEL = 'command_bus_doorbell'
/** At most one NOTIFY in this time: it takes a lock of the whole cluster at commit. */
const PAUSE_MS = 10
const MAX_QUEUES_A_RING = 100

/**
 * Notifies workers after a commit, on a connection of the pool, never inside the sending transaction. Notifications within
 * a pause are sent together; one that fails is dropped, because workers also poll. `local` listeners are called at once.
 */
export const createDoorbell = (pool: Pool, local: EventEmitter): Doorbell & { readonly stop: () => Promise<void> } => {
  let waiting = new Set<string>()
  let timer: NodeJS.Timeout | null = null
  let ringing: Promise<void> = Promise.resolve()
  let stopped = false

  const flush = (): void => {
    timer = null
    if (waiting.size === 0) return
    const queues = [...waiting].slice(0, MAX_QUEUES_A_RING)
    waiting = new Set([...waiting].slice(MAX_QUEUES_A_RING))
    ringing = pool
      .query({ name: 'command_bus_ring', text: 'select pg_notify($1, $2)', values: [CHANNEL, queues.join(' ')] })
      .then(
        () => {},
        () => {},
      )
    timer = setTimeout(flush, PAUSE_MS)
  }

  return {
    ring: queues => {
      if (stopped) return
      for (const queue of queues) {
        waiting.add(queue)
        // an emitter throws on this event name when it has no listener
        if (queue !== 'error') local.emit(queue)
      }
      if (timer === null) flush()
    },
    stop: async () => {
      stopped = true
      if (timer !== null) clearTimeout(timer)
      await ringing
    },
  }
}

export interface DoorbellListener {
  readonly stop: () => Promise<void>
  /** Null: the pooler passes no notifications on. */
  readonly connected: () => boolean | null
}

/** How often a listener checks that the server still answers: a connection that broke silently gives no error. */
const PING_MS = 10_000

/**
 * Calls `wake` for each notification for one of the `queues` (null: for every queue), with their names, and after every
 * reconnection; reconnects until it is stopped. `connect` gives null where a pooler passes no notifications on.
 */
export const listenForDoorbell = (
  connect: () => Client | null,
  queues: readonly string[] | null,
  wake: (named: readonly string[]) => void,
  log: Log,
): DoorbellListener => {
  /** The client that listens, or is about to. */
  let client: Client | null = null
  let connected = false
  let timer: NodeJS.Timeout | null = null
  let mute = false
  let stopped = false
  let failures = 0

  const later = (ms: number, work: () => Promise<void>): void => {
    if (timer !== null) clearTimeout(timer)
    timer = stopped ? null : setTimeout(() => void work(), ms)
  }

  /** Ends a broken connection, and makes another one later. */
  const lose = (lost: Client): void => {
    if (client !== lost) return
    client = null
    connected = false
    void lost.end().catch(() => {})
    later(Math.min(5_000, 100 * 2 ** Math.min(failures++, 6)), open)
  }

  const ping = async (): Promise<void> => {
    const pinged = client
    if (pinged === null) return
    try {
      await pinged.query('select 1')
      if (client === pinged) pingLater(pinged)
    } catch (error) {
      log.debug({ err: error }, 'the connection that listens for new messages does not answer; polling goes on')
      lose(pinged)
    }
  }
  const pingLater = (of: Client): void => later(Math.min(PING_MS, timeoutOf(of)), ping)

  const open = async (): Promise<void> => {
    const next = connect()
    if (next === null) {
      mute = true
      return
    }
    client = next
    next.on('notification', ({ payload }) => {
      const named = payload?.split(' ') ?? []
      const ours = queues === null ? named : named.filter(name => queues.includes(name))
      if (queues === null || ours.length > 0) wake(ours)
    })
    next.on('error', () => {})
    next.on('end', () => lose(next))
    try {
      await next.connect()
      await next.query(`listen ${CHANNEL}`)
      if (client !== next) return
      connected = true
      failures = 0
      pingLater(next)
      wake([])
    } catch (error) {
      log.debug({ err: error }, 'the connection that listens for new messages has ended; polling goes on')
      lose(next)
    }
  }

  void open()
  return {
    connected: () => (mute ? null : connected),
    stop: async () => {
      stopped = true
      if (timer !== null) clearTimeout(timer)
      const last = client
      client = null
      connected = false
      await last?.end().catch(() => {})
    },
  }
}

/** The bell of this process, which rings by the name of a queue. */
export interface LocalBell {
  readonly on: (queue: string, wake: () => void) => unknown
  readonly off: (queue: string, wake: () => void) => unknown
}

/** Listens to the bell of this process for some queues, until the function that it returns is called. */
export const listenHere = (
  bell: LocalBell,
  queues: readonly string[],
  onBell: (named: readonly string[]) => void,
): (() => void) => {
  const wakes = queues.map(queue => [queue, () => onBell([queue])] as const)
  for (const [queue, wake] of wakes) bell.on(queue, wake)
  return () => {
    for (const [queue, wake] of wakes) bell.off(queue, wake)
  }
}
