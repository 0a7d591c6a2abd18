import type { ClientBase } from 'pg'
import { ReplyQueueRefusedError } from '../../../application/shared/errors.ts'
import { isLockTimeout, isOutage } from '../connection/errors.ts'
import type { EnsureOptions, QueueCatalog } from './queue-catalog.ts'

/** Makes the queues of replies when a command is sent, and again before its reply if they are gone. */
export interface ReplyQueues {
  /** Makes queues that senders name. @throws ReplyQueueRefusedError for one that cannot be made */
  readonly make: (queues: ReadonlySet<string>, within?: Pick<ClientBase, 'query'>) => Promise<void>
  /** Makes queues for replies about to be sent; false if one cannot be made, or took no reply a moment ago. */
  readonly ready: (queues: ReadonlySet<string>, options?: EnsureOptions) => Promise<boolean>
  /** Notes that these queues took no reply: for a while commits to them are careful (see `UnitOfWork`). */
  readonly failed: (queues: readonly string[]) => void
}

/** For so long a queue that took no reply is not tried again, as that could cost a failed commit. */
const FAILED_MS = 10_000

export const createReplyQueues = (catalog: QueueCatalog): ReplyQueues => {
  const failedUntil = new Map<string, number>()
  const hasFailed = (queue: string): boolean => (failedUntil.get(queue) ?? 0) > performance.now()
  const failed = (queues: readonly string[]): void => {
    for (const queue of failedUntil.keys()) if (!hasFailed(queue)) failedUntil.delete(queue)
    for (const queue of queues) failedUntil.set(queue, performance.now() + FAILED_MS)
  }
  return {
    failed,
    make: async (queues, within) => {
      for (const queue of queues) {
        try {
          await catalog.ensure(new Set([queue]), within === undefined ? {} : { within })
        } catch (error) {
          if (isOutage(error)) throw error
          throw new ReplyQueueRefusedError(
            queue,
            `cannot be made (${messageOf(error)}): name another queue; nothing was sent`,
          )
        }
      }
    },
    ready: async (queues, options) => {
      let all = true
      for (const queue of queues) {
        if (hasFailed(queue)) {
          all = false
          continue
        }
        try {
          await catalog.ensure(new Set([queue]), options)
        } catch (error) {
          if (passes(error)) throw error
          failed([queue])
          all = false
        }
      }
      return all
    },
  }
}

/** An open transaction that holds the name of a queue is a fault of this queue, not of the database. */
const passes = (error: unknown): boolean => isOutage(error) && !isLockTimeout(error)

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
