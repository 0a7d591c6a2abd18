import type { WorkItem } from '../../application/commands/work-message.ts'
import type { Clock } from '../../application/ports/clock.ts'
import type { Log } from '../../application/ports/log.ts'
import { type DeliveryTag, messageKey, type Queue } from '../../application/ports/queue.ts'
import { answerWithin } from '../shared/within.ts'
import { nameOf, type Run } from './attempt/run.ts'

interface HeartbeatOptions {
  /** On its own connection, which stays open, so that leases are extended even when no new connection can be made. */
  readonly queue: Pick<Queue, 'extend'>
  /** On the worker's connections, used when that one is lost. */
  readonly otherQueue: Pick<Queue, 'extend'>
  readonly name: string
  readonly leaseMs: number
  /** Runs whose handler has not ended, or whose outcome waits for the database. */
  readonly held: () => readonly Run[]
  readonly buffered: () => readonly WorkItem[]
  readonly clock: Clock
  readonly log: Log
}

const SHORTEST_MS = 200
/** After this time without an answer the connection for leases is replaced. */
export const LONGEST_ANSWER_MS = 10_000

/**
 * Extends the leases of all messages that this worker holds, three times in the time of a lease, in one statement. Aborts the
 * signal of a handler whose message another worker has read. An idle worker also beats, so that its health is known.
 */
export const startHeartbeat = (options: HeartbeatOptions) => {
  const { queue, otherQueue, name, leaseMs, held, buffered, clock, log } = options
  const everyMs = Math.max(SHORTEST_MS, leaseMs / 3)
  const answerMs = Math.min(LONGEST_ANSWER_MS, everyMs)
  let failingSince: Date | null = null
  let beating: Promise<void> | null = null

  const extend = async (tags: readonly DeliveryTag[]): Promise<readonly string[]> => {
    try {
      return await answerWithin(answerMs, () => queue.extend(name, tags, leaseMs))
    } catch (error) {
      log.debug({ err: error }, 'the connection for leases failed; trying another')
      return answerWithin(answerMs, () => otherQueue.extend(name, tags, leaseMs))
    }
  }

  const beat = async (): Promise<void> => {
    const runs = held()
    const tags = [...runs.map(run => run.job.delivery), ...buffered().map(job => job.delivery)]
    const ours = new Set(await extend(tags))
    failingSince = null
    const stillHeld = new Set(held())
    for (const run of runs) {
      // gone because its outcome was recorded meanwhile, or because another worker has read it
      if (ours.has(messageKey(run.job.delivery)) || !stillHeld.has(run)) continue
      log.warn(nameOf(run.job), 'the lease of this message is lost')
      run.abort('the lease of this message is lost')
    }
  }

  const beatNow = (): void => {
    beating ??= beat()
      .catch(error => {
        failingSince ??= clock.now()
        log.warn({ err: error }, 'leases could not be extended')
      })
      .finally(() => {
        beating = null
      })
  }

  const timer = setInterval(beatNow, everyMs)
  beatNow()
  return {
    beatNow,
    failingSince: () => failingSince,
    /** Resolves when no lease is being extended any more. */
    stop: async (): Promise<void> => {
      clearInterval(timer)
      await beating
    },
  }
}
