import type { Health } from '../../application/ports/reading/stats.ts'
import type { AnyHandler, Handler } from './attempt/handler.ts'
import type { MapError } from './failures/failures.ts'
import type { OnUnknownType } from './flow/unknown-types.ts'

/** What a worker handles, and how. */
export interface WorkerOptions {
  /** The worker receives the commands of this domain. */
  readonly domain: string
  /** By command type; `*` handles every type without its own handler. */
  readonly handlers?: { readonly [commandType: string]: Handler }
  /** How many handlers run at the same time in this worker: 1-1000, default 10. */
  readonly concurrency?: number
  /** The lease (visibility timeout) of a message, in seconds; extended while its handler runs. 1-43,200, default 30. */
  readonly leaseSeconds?: number
  /**
   * The deadline of handlers that have no `timeoutMs` of their own, in milliseconds. Default 900,000 (15 minutes). `null` or
   * `Infinity`: no deadline; a handler that never ends keeps its slot until an operator ends the attempt.
   */
  readonly handlerTimeoutMs?: number | null
  /**
   * `health` names the handlers that run longer than this, in milliseconds; default 300,000. It is `critical` when such
   * handlers fill all slots and have no `timeoutMs` that allows for it.
   */
  readonly longRunningMs?: number
  /** How often to poll the queue when the doorbell does not ring, in milliseconds. Default 500. */
  readonly pollMs?: number
  /**
   * For commands of a type without a handler: park them (default), or put them off for a while, so that a rolling deploy
   * parks nothing.
   */
  readonly onUnknownType?: OnUnknownType
  /** Names this worker in the audit. Default: a new UUID. */
  readonly workerId?: string
  /**
   * The version or commit of your program, 1-100 characters: it stands in the events of this worker's attempts, so that a bad
   * deploy can be told from a bad command. Default: the environment variable COMMANDBUS_BUILD; without it, the version in the
   * package.json of the program's main file, if there is one.
   */
  readonly build?: string
  /**
   * Maps errors that are not command errors to a kind of failure. Default: transient; in domain `operations` only timeouts,
   * failed connections and HTTP answers that mean "later" (5xx, 408, 429) are transient.
   */
  readonly mapError?: MapError
  /**
   * Makes commands of messages that other programs put on the queue. What cannot be a command is kept for an operator. The
   * database role needs the rights of a sender, too. Default false: all of them are kept.
   */
  readonly adoptStrangers?: boolean
}

/** How a worker stops. */
export interface StopOptions {
  /** How long running handlers may go on, in milliseconds. Default 30,000. */
  readonly deadlineMs?: number
}

/** Receives the commands of one domain and runs their handlers. */
export interface Worker {
  readonly workerId: string
  /** Registers a handler. @throws HandlerAlreadyRegisteredError: the first handler stays. */
  readonly handle: (commandType: string, handler: Handler) => void
  /** Starts to receive. Resolves when the queue exists, just before the first read. @throws UnavailableError */
  readonly start: () => Promise<void>
  /**
   * Takes no new messages and lets running handlers finish until the deadline. An attempt that has not ended by then is given
   * up: it counts, and its command may be tried again at once. Messages whose handler has not begun go back to the queue,
   * and no attempt is counted. Resolves at most two seconds after the deadline, even if the database does not answer.
   */
  readonly stop: (options?: StopOptions) => Promise<void>
  /**
   * For a process that must exit: call it in the `uncaughtException` and `unhandledRejection` listeners. Logs the error with
   * the running attempts and gives their messages back; no attempt is counted. Because the guilty attempt is not known,
   * these commands run one by one next time, and an attempt that ends its process again is counted. Resolves within
   * `withinMs` milliseconds, default 2,000.
   */
  readonly crashed: (error: unknown, options?: { readonly withinMs?: number }) => Promise<void>
  /** Whether it works, and the reasons if not. */
  readonly health: () => Health
  /** The handler for a command type: its own, else that of `*`. */
  readonly handlerOf: (commandType: string) => AnyHandler | undefined
  readonly mapError?: MapError | undefined
}
