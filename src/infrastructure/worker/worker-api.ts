import type { Health } from '../../application/ports/reading/stats.ts'
import type { AnyHandler, Handler } from './attempt/handler.ts'
import type { MapError } from './failures/failures.ts'

export interface WorkerOptions {
  readonly domain: string
  /** By command type; `*` takes every type that has no handler of its own. */
  readonly handlers?: { readonly [commandType: string]: Handler }
  /** Handlers running at once in this worker. 1-1000, default 10. */
  readonly concurrency?: number
  /** How long a message stays ours without a heartbeat, in seconds. 1-43,200, default 30. */
  readonly leaseSeconds?: number
  /**
   * The deadline of handlers that have no `timeoutMs` of their own, in milliseconds. Default 900,000 (15 minutes); `null` or
   * `Infinity`: none, and a handler that never ends holds its slot until an operator ends the attempt.
   */
  readonly handlerTimeoutMs?: number | null
  /**
   * Health names handlers that run longer, and is critical when all slots are held so by handlers whose own `timeoutMs` does
   * not allow for it. In milliseconds; default 300,000.
   */
  readonly longRunningMs?: number
  /** How often to look without having been rung, in milliseconds. Default 500. */
  readonly pollMs?: number
  /** Names this worker in the audit; made when absent. */
  readonly workerId?: string
  /**
   * Says how errors that are none of the command errors are treated; default: as transient. In domain `operations` only
   * timeouts, failing connections and answers that say "later" (5xx, 408, 429) are, unless this says otherwise.
   */
  readonly mapError?: MapError
}

export interface StopOptions {
  /** How long handlers under way may go on, in milliseconds. Default 30,000. */
  readonly deadlineMs?: number
}

export interface Worker {
  readonly workerId: string
  /** @throws HandlerAlreadyRegisteredError; the first handler stays. */
  readonly handle: (commandType: string, handler: Handler) => void
  /** Begins to receive; comes back when the queue is there and the first read is about to happen. */
  readonly start: () => Promise<void>
  /**
   * No new messages; handlers under way finish until the deadline. What has not ended by then is given up: its attempt
   * counts, and its command may be tried again at once. Messages nobody had begun go back at once, uncounted. Comes back
   * two seconds after the deadline at the latest, also when the database does not answer.
   */
  readonly stop: (options?: StopOptions) => Promise<void>
  /**
   * For a process that cannot go on, to be called from its own `uncaughtException` and `unhandledRejection` listeners before it
   * exits: logs the error with what was running, and gives back what was running beside it, uncounted. Whose fault it was
   * cannot be told: all that ran run one by one next time, and one that takes its process down again has that counted.
   * Comes back within `withinMs`, default 2,000.
   */
  readonly crashed: (error: unknown, options?: { readonly withinMs?: number }) => Promise<void>
  readonly health: () => Health
  /** What handles commands of a type here. */
  readonly handlerOf: (commandType: string) => AnyHandler | undefined
  readonly mapError?: MapError | undefined
}
