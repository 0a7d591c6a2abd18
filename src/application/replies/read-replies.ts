import { YEAR_SECONDS } from '../../domain/instant.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { correlationIdOf, optional, wholeOf } from '../shared/input.ts'
import type { Reply } from './reply.ts'

/** What a handler of replies knows besides the reply. */
export interface ReplyContext {
  readonly msgId: string
  /** How often the reply was read, this time included. */
  readonly delivery: number
  /** When it was put on the queue; ISO 8601. */
  readonly enqueuedAt: string
  /** Aborted when a stop no longer waits for the handler. */
  readonly signal: AbortSignal
}

/** Handles one reply. It is deleted after the handler has returned, and comes again after a wait when it throws. */
export type ReplyHandler = (reply: Reply, context: ReplyContext) => unknown

/** How `bus.replies(queue).run` reads. */
export interface ReplyReaderOptions {
  /** How many handlers run at the same time: 1-1000, default 10. As many replies are read with one statement. */
  readonly concurrency?: number
  /** Only replies with this correlation id; the others stay. */
  readonly correlationId?: string
  /**
   * Only replies that have been on the queue for so long, in seconds: 0-31,536,000, default 0. Set it, to more than their
   * timeout, on the queue of requests: then the reader gets the replies that no request has taken.
   */
  readonly olderThanSeconds?: number
  /** How long a reply stays hidden from other readers when this process dies, in seconds: 1-43,200, default 30. */
  readonly visibilitySeconds?: number
  /** The waits after a handler has thrown, in seconds; the last repeats. Default [1, 5, 30, 60, 300]. */
  readonly backoffSeconds?: readonly number[]
  /** How often to look at the queue when no notification comes, in milliseconds. Default 500. */
  readonly pollMs?: number
  /**
   * Receives what a handler throws, with its reply; and with null a failed read, or a message that is not a reply. The reader
   * goes on. Default: they are logged.
   */
  readonly onError?: (error: unknown, reply: Reply | null) => void
  /** Stops the reader, as `stop` does. */
  readonly signal?: AbortSignal
}

/** How a reader of replies stops. */
export interface StopReading {
  /** How long running handlers may go on, in milliseconds. Default 30,000. */
  readonly deadlineMs?: number
}

/** A reader that runs. */
export interface RunningReader {
  /**
   * Reads no more and waits for the running handlers until the deadline. Then their signals are aborted, and their replies
   * come again.
   */
  readonly stop: (options?: StopReading) => Promise<void>
  /** Resolves when it has stopped. */
  readonly ended: Promise<void>
}

/** The replies of one queue. */
export interface ReplyReader {
  /**
   * Passes each reply to the handler, at least once. Resolves when the queue exists.
   * @throws InvalidInputError, TooManyQueuesError, UnavailableError
   * @example
   * const reader = await bus.replies('shop__replies').run(async reply => {
   *   if (reply.outcome === 'SUCCESS') await markPaid(reply.commandId)
   * })
   * await reader.stop()
   */
  readonly run: (handler: ReplyHandler, options?: ReplyReaderOptions) => Promise<RunningReader>
}

const USUAL_BACKOFF = [1, 5, 30, 60, 300]

/** Checks the options of a reader and fills in defaults. @throws InvalidInputError */
export const readerSettingsOf = (options: ReplyReaderOptions) => {
  const correlationId = optional(options.correlationId, correlationIdOf)
  const olderThan = wholeOf(options.olderThanSeconds ?? 0, 'olderThanSeconds', 0, YEAR_SECONDS)
  const backoffMs = backoffOf(options.backoffSeconds ?? USUAL_BACKOFF).map(seconds => seconds * 1000)
  return {
    concurrency: wholeOf(options.concurrency ?? 10, 'concurrency', 1, 1000),
    hiddenMs: wholeOf(options.visibilitySeconds ?? 30, 'visibilitySeconds', 1, 43_200) * 1000,
    pollMs: wholeOf(options.pollMs ?? 500, 'pollMs', 1, 60_000),
    onError: options.onError,
    signal: options.signal,
    filter: {
      ...(correlationId === null ? {} : { correlationId }),
      ...(olderThan === 0 ? {} : { olderThanMs: olderThan * 1000 }),
    },
    /** The wait after this many deliveries. */
    waitMs: (delivery: number): number => backoffMs[Math.min(delivery, backoffMs.length) - 1] ?? 0,
  }
}

export type ReaderSettings = ReturnType<typeof readerSettingsOf>

/** @throws InvalidInputError */
export const replyHandlerOf = (handler: unknown): ReplyHandler => {
  if (typeof handler === 'function') return handler as ReplyHandler
  throw new InvalidInputError('handler', 'must be a function of a reply')
}

const backoffOf = (given: unknown): readonly number[] => {
  const isWait = (seconds: unknown): boolean => typeof seconds === 'number' && seconds >= 0 && seconds <= YEAR_SECONDS
  if (Array.isArray(given) && given.length > 0 && given.every(isWait)) return given
  throw new InvalidInputError('backoffSeconds', `must be a list of numbers from 0 to ${YEAR_SECONDS}, at least one`)
}
