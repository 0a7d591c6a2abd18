import { TooLargeError, UnavailableError } from '../../../application/shared/errors.ts'

/** EventStoreDB did not answer in time; whether an append took place is not known. */
export class SilentStoreError extends Error {
  override readonly name = 'SilentStoreError'
  constructor(waitedMs: number) {
    super(`EventStoreDB has not answered for ${waitedMs} ms`)
  }
}

/** EventStoreDB cannot serve now; what is idempotent may be tried again. */
export class EventStoreAwayError extends UnavailableError {}

export type Trouble = 'conflict' | 'missing' | 'away' | 'refused' | 'too large' | 'deleted' | 'other'

/** By the client's own error types. Compared as text, so that nothing of the client has to be loaded. */
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

/** By gRPC status: raw errors come through, and so does what the client calls unknown. */
const BY_STATUS: Readonly<Record<string, Trouble>> = {
  1: 'away', // cancelled: a connection that was replaced
  2: 'away', // unknown: what proxies and servers going down say
  4: 'away', // deadline exceeded
  7: 'refused',
  8: 'away', // resource exhausted
  10: 'away', // aborted
  13: 'away', // internal: a connection reset in the middle of a call
  14: 'away', // unavailable
  16: 'refused',
}

const NETWORK = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_HTTP2|ERR_STREAM)/

/** Newer servers limit single events, too, which the client does not know: it passes on the words alone. */
const APPEND_LIMIT = /maximum ?append/i
/** What gRPC says, of the server or of a proxy before it, and to every append under way on that connection. */
const MESSAGE_LIMIT = /message (?:larger than max|exceeds the maximum)/i

const saidBy = (error: unknown): string => (error instanceof Error ? error.message : '')

export const isMessageLimit = (error: unknown): boolean => MESSAGE_LIMIT.test(saidBy(error))

/** What an error of the client means. An unknown failure counts as away: everything here may be repeated. */
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

/** One sentence of ours for what the client said; connection strings never appear in it. */
export const toStoreError = (error: unknown): Error => {
  if (error instanceof UnavailableError || error instanceof TooLargeError) return error
  switch (troubleOf(error)) {
    case 'away':
      return new EventStoreAwayError(
        'EventStoreDB cannot be reached or does not answer: check that it runs and that EVENTSTORE_URL names it; ' +
          'whether an append under way took place is not known, the same command id tells',
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
      return new Error('the stream was deleted in EventStoreDB; a log of commands must not be', { cause: error })
    default:
      return error instanceof Error ? error : new Error(String(error))
  }
}
