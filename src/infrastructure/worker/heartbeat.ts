import type { Log } from '../../application/ports/log.ts'
import type { Queue } from '../../application/ports/queue.ts'
import type { Job } from '../../application/work-message.ts'
import { nameOf, type Run } from './run-job.ts'

interface HeartbeatOptions {
  readonly queue: Queue
  readonly name: string
  readonly leaseMs: number
  /** Runs whose handler has not ended: an outcome on its way may set the wait itself. */
  readonly held: () => readonly Run[]
  readonly buffered: () => readonly Job[]
  readonly log: Log
}

/**
 * Extends the leases of everything this worker holds, three times a lease, in one statement on a connection of its own.
 * A message that is no longer ours (read again by another) has its handler's signal aborted.
 */
export const startHeartbeat = ({ queue, name, leaseMs, held, buffered, log }: HeartbeatOptions) => {
  let failingSince: Date | null = null
  let beating: Promise<void> | null = null

  const beat = async (): Promise<void> => {
    const runs = held()
    const tags = [...runs.map(run => run.job.delivery), ...buffered().map(job => job.delivery)]
    if (tags.length === 0) return
    const ours = new Set(await queue.extend(name, tags, leaseMs))
    failingSince = null
    const stillHeld = new Set(held())
    for (const run of runs) {
      // gone because its own outcome was recorded meanwhile, or because somebody else reads it now
      if (ours.has(run.job.delivery.msgId) || !stillHeld.has(run)) continue
      log.warn(nameOf(run.job), 'the lease of this message is lost')
      run.abort('the lease of this message is lost')
    }
  }

  const timer = setInterval(
    () => {
      beating ??= beat()
        .catch(error => {
          failingSince ??= new Date()
          log.warn({ err: error }, 'leases could not be extended')
        })
        .finally(() => {
          beating = null
        })
    },
    Math.max(200, leaseMs / 3),
  )
  return {
    failingSince: () => failingSince,
    /** Comes back when nothing is extended any more. */
    stop: async (): Promise<void> => {
      clearInterval(timer)
      await beating
    },
  }
}
