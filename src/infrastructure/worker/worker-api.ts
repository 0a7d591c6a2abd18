import type { Health } from '../../application/ports/reading/stats.ts'
import type { AnyHandler, Handler } from './attempt/handler.ts'
import type { MapError } from './failures/failures.ts'

export interface WorkerOptions {
  readonly domain: string
  /** By command type; `*` handles every type without its own handler. */
  readonly handlers?: { readonly [commandType: string]: Handler }
  /** Handlers running at once in this worker. 1-1000, default 10. */
  readonly concurrency?: number
  /** The lease (visibility timeout) of a message, in seconds; extended while its handler runs. 1-43,200, default 30. */
  readonly leaseSeconds?: number
  /**
   * The deadline of handlers that have no `timeoutMs` of their own, in milliseconds. Default 900,000 (15 minutes); `null` or
   * `Infinity`: none, and a handler that never ends holds its slot until an operator ends the attempt.
   */
  readonly handlerTimeoutMs?: number | null
  /**
   * Health names handlers that run longer than this. It is critical when such handlers hold all slots and no `timeoutMs` of
   * theirs allows for it. In milliseconds; default 300,000.
   */
  readonly longRunningMs?: number
  /** How often to poll the queue when the doorbell does not ring, in milliseconds. Default 500. */
  readonly pollMs?: number
  /** Names this worker in the audit. Default: a new UUID. */
  readonly workerId?: string
  /**
   * Decides how errors that are not command errors are treated. Default: as transient; in domain `operations` only timeouts,
   * failed connections and HTTP answers that mean "later" (5xx, 408, 429) are transient.
   */
  readonly mapError?: MapError
}

export interface StopOptions {
  /** How long running handlers may go on, in milliseconds. Default 30,000. */
  readonly deadlineMs?: number
}

export interface Worker {
  readonly workerId: string
  /** Registers a handler. @throws HandlerAlreadyRegisteredError: the first handler stays. */
  readonly handle: (commandType: string, handler: Handler) => void
  /** Starts to receive. Resolves when the queue exists, just before the first read. */
  readonly start: () => Promise<void>
  /**
   * Takes no new messages and lets running handlers finish until the deadline. An attempt that has not ended by then is given
   * up: it counts, and its command may be tried again at once. Messages that had not begun go back at once, uncounted.
   * Resolves two seconds after the deadline at the latest, even if the database does not answer.
   */
  readonly stop: (options?: StopOptions) => Promise<void>
  /**
   * For a process that has to exit: call it in its `uncaughtException` and `unhandledRejection` listeners. Logs the error with
   * the running attempts, and gives their messages back, uncounted. As it is not known which of them was to blame, next time
   * they run one by one, and one that ends its process again has that attempt counted. Resolves within `withinMs`, default
   * 2,000.
   */
  readonly crashed: (error: unknown, options?: { readonly withinMs?: number }) => Promise<void>
  readonly health: () => Health
  /** The handler for a command type. */
  readonly handlerOf: (commandType: string) => AnyHandler | undefined
  readonly mapError?: MapError | undefined
}
