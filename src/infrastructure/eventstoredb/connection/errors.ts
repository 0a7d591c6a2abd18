import { TooLargeError, UnavailableError } from '../../../application/shared/errors.ts'

/** EventStoreDB did not answer in time. An append may have taken place. */
export class SilentStoreError extends Error {
  override readonly name = 'SilentStoreError'
  constructor(waitedMs: number) {
    super(`EventStoreDB has not answered for ${waitedMs} ms`)
  }
}

/** EventStoreDB is away. Idempotent work may be tried again. */
export class EventStoreAwayError extends UnavailableError {}

export type Trouble = 'conflict' | 'missing' | 'away' | 'refused' | 'too large' | 'deleted' | 'other'

/** By the client's error types, compared as text, so that the client need not be loaded. */
const BY_TYPE: Readonly<Record<string, Trouble>> = {
  'wrong-expected-version': 'conflict',
  'stream-not-found': 'missing',
  'no-stream': 'missing',
  unavailable: 'away',
  timeout: 'away',
  'deadline-exceeded': 'away',
  cancelled: 'away',
  'not-leader': 'away',
  'access-denied': 'refused',
  'maximum-append-size-exceeded': 'too large',
  'stream-deleted': 'deleted',
}

/** By gRPC status, for raw errors and for those that the client calls unknown. */
const BY_STATUS: Readonly<Record<string, Trouble>> = {
  1: 'away', // cancelled: a connection that was replaced
  2: 'away', // unknown: sent by proxies and by servers that shut down
  4: 'away', // deadline exceeded
  7: 'refused',
  8: 'away', // resource exhausted
  10: 'away', // aborted
  13: 'away', // internal: a connection reset in the middle of a call
  14: 'away', // unavailable
  16: 'refused',
}

const NETWORK = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_HTTP2|ERR_STREAM)/

/** Newer servers also limit single events. The client has no error type for it and passes only the text on. */
const APPEND_LIMIT = /maximum ?append/i
/** gRPC's text, from the server or a proxy; every append on that connection gets it. */
const MESSAGE_LIMIT = /message (?:larger than max|exceeds the maximum)/i

const saidBy = (error: unknown): string => (error instanceof Error ? error.message : '')

export const isMessageLimit = (error: unknown): boolean => MESSAGE_LIMIT.test(saidBy(error))

/** Classifies an error of the client. An unknown error counts as away, as all calls here may be repeated. */
export const troubleOf = (error: unknown): Trouble => {
  if (error instanceof SilentStoreError) return 'away'
  if (typeof error !== 'object' || error === null) return 'other'
  const { type, code, message } = error as { readonly type?: unknown; readonly code?: unknown; message?: unknown }
  const byType = typeof type === 'string' ? BY_TYPE[type] : undefined
  if (byType !== undefined) return byType
  if (APPEND_LIMIT.test(saidBy(error))) return 'too large'
  const byStatus = typeof code === 'number' ? BY_STATUS[code] : undefined
  if (byStatus !== undefined) return byStatus
  if (type === 'unknown' || (typeof code === 'string' && NETWORK.test(code))) return 'away'
  return typeof message === 'string' && /^Failed to discover/.test(message) ? 'away' : 'other'
}

export const isAway = (error: unknown): boolean => troubleOf(error) === 'away' || error instanceof EventStoreAwayError

/** A store error with one sentence for the client's error, without connection strings. */
export const toStoreError = (error: unknown): Error => {
  if (error instanceof UnavailableError || error instanceof TooLargeError) return error
  switch (troubleOf(error)) {
    case 'away':
      return new EventStoreAwayError(
        'EventStoreDB cannot be reached or does not answer: check that it runs and that EVENTSTORE_URL names it; ' +
          'an append may have taken place: send again with the same command id',
        { cause: error },
      )
    case 'refused':
      return new UnavailableError(
        'EventStoreDB refused: check the user and the password in EVENTSTORE_URL, and that this user may read $all',
        { cause: error },
      )
    case 'too large':
      return new TooLargeError({ cause: error })
    case 'deleted':
      return new Error('the stream was deleted in EventStoreDB; streams of commands must never be deleted', {
        cause: error,
      })
    default:
      return error instanceof Error ? error : new Error(String(error))
  }
}
