import { EventEncodeError } from '../../../application/ports/event-store.ts'
import { CommandBusError, InvalidOperationError, UnavailableError } from '../../../application/shared/errors.ts'
import { connectionRefusal } from '../network/refusals.ts'
import { NoAnswerError } from '../network/time-limit.ts'

/** The code of an error, or of the first of several: each address of a host may fail differently. */
const codeOf = (error: unknown): string => {
  if (typeof error !== 'object' || error === null) return ''
  if ('code' in error) return String(error.code)
  return error instanceof AggregateError ? codeOf(error.errors[0]) : ''
}

const NETWORK = new Set([
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'EAI_FAIL',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EMFILE',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'ENFILE',
  'ENOBUFS',
  'ENOTCONN',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
])
/** The server ended the connection: a shutdown, a crash of another session, or a session that was idle for too long. */
const ENDED = new Set(['57P01', '57P02', '57P03', '57P05', '25P03', '25P04'])

/** The connection broke or the server does not answer. Whether a commit took place is unknown: repeat it idempotently. */
export const isConnectionError = (error: unknown): boolean => {
  const code = codeOf(error)
  return (
    NETWORK.has(code) ||
    ENDED.has(code) ||
    code.startsWith('08') ||
    (error instanceof Error &&
      /Connection terminated|connection timeout|timeout expired|Client has encountered a connection error|Client was closed|Connection ended/i.test(
        error.message,
      ))
  )
}

const doubtful = new WeakSet<object>()

/** Marks an error: an earlier try of the same work may have been committed. */
export const markDoubtful = (error: unknown): void => {
  if (typeof error === 'object' && error !== null) doubtful.add(error)
}

/** All connections of the pool were busy for the whole time limit; pg-pool has no code for it, only these words. */
const isPoolBusy = (error: unknown): boolean =>
  error instanceof Error && error.message === 'timeout exceeded when trying to connect'

/** No answer within the bus's time limit, or within `query_timeout` of the user's pool. */
export const isNoAnswer = (error: unknown): boolean =>
  error instanceof NoAnswerError || (error instanceof Error && error.message === 'Query read timeout')

/** `lock_timeout` or `statement_timeout` has passed, which the server, the role or its owner has set. */
const GAVE_UP = new Set(['55P03', '57014'])

/** A full or broken disk, no connection left, a lock not granted, or a standby that has not taken over yet. */
const isUnableNow = (code: string): boolean =>
  code.startsWith('53') || code.startsWith('58') || code === '25006' || GAVE_UP.has(code)

/** No connection was made: the statement was not sent. */
const NOT_REACHED = new Set(['EADDRNOTAVAIL', 'EAI_AGAIN', 'EAI_FAIL', 'ECONNREFUSED', 'EMFILE', 'ENFILE', 'ENOTFOUND'])

/** Whether this or an earlier try of the work was committed is unknown. */
export const isInDoubt = (error: unknown): boolean =>
  isNoAnswer(error) ||
  (isConnectionError(error) && !NOT_REACHED.has(codeOf(error))) ||
  (typeof error === 'object' && error !== null && doubtful.has(error))

/** The server refused the statement, or it was never sent: neither it nor an earlier try was committed. */
export const isUndone = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  !isInDoubt(error) &&
  (isPoolBusy(error) ||
    NOT_REACHED.has(codeOf(error)) ||
    error instanceof EventEncodeError ||
    (error instanceof CommandBusError ? !(error instanceof UnavailableError) : 'severity' in error))

/** A passing fault of the database, not of the statement: idempotent work may be tried again until it is over. */
export const isOutage = (error: unknown): boolean =>
  isConnectionError(error) ||
  isPoolBusy(error) ||
  isNoAnswer(error) ||
  isUnableNow(codeOf(error)) ||
  isSerializationError(error)

/** The server rolled the transaction back because of others: the same statement may succeed at once. */
export const isSerializationError = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error))

/** A lock was not given within `lock_timeout`. */
export const isLockTimeout = (error: unknown): boolean => codeOf(error) === '55P03'

/** A lock was not given in time, or only with a deadlock. */
export const isRefusedLock = (error: unknown): boolean => isLockTimeout(error) || isSerializationError(error)

/** A table or queue that was there before is gone. */
export const isMissingRelation = (error: unknown): boolean => codeOf(error) === '42P01'

/** The role lacks a right. */
export const isRefusal = (error: unknown): boolean => codeOf(error) === '42501'

/** SQLSTATE of a lost race in an all-or-nothing commit. */
export const isLostRace = (error: unknown): boolean => codeOf(error) === 'CB409'

/** SQLSTATE of a reschedule whose message a worker has read. */
const MESSAGE_TAKEN = 'CB423'

const sentences: Readonly<Record<string, string>> = {
  '53100': 'the database server has no disk space left: free some, then try again; nothing was written',
  '53200': 'the database server is out of memory: lower its load or give it more, then try again',
  '53300': 'the database server takes no more connections: raise max_connections or lower the pool size',
  '25006': 'the database is read-only (a standby, or default_transaction_read_only is on): use the primary server',
  '55P03':
    'another session holds a lock this needs for longer than lock_timeout: look for it in pg_stat_activity, then try again; nothing was written',
  '57014':
    'the database ended the statement before it was done (statement_timeout, or somebody cancelled it): try again, or raise the limit; nothing was written',
  '28P01':
    'the database refused the password: check DATABASE_URL, in which characters such as % / ? # @ are percent-encoded',
  '28000': 'the database refused this user: check DATABASE_URL and pg_hba.conf',
  '3D000': 'the database named in DATABASE_URL does not exist: create it first',
}

/** Messages of PostgreSQL and of the bus's functions for a missing right; they name only objects and roles. */
const REFUSAL = /^(permission denied (for|to) .+|must be (owner|able) .+|role .+ may not .+)$/

const lackOfRight = (error: unknown): string => {
  const said = error instanceof Error && REFUSAL.test(error.message) ? `: ${error.message}` : ''
  return (
    `the database user lacks a right this needs${said}. Let the role that migrates run \`commandbus grants\`, ` +
    'or use that role; `commandbus doctor` says what the database lacks'
  )
}

/**
 * Turns an error of PostgreSQL or of the network into an error of the bus, with a message of one sentence that never
 * contains a connection string. Other errors come back unchanged.
 */
export const toPublicError = (error: unknown): Error => {
  if (error instanceof CommandBusError) return error
  const code = codeOf(error)
  if (code === MESSAGE_TAKEN && error instanceof Error) return new InvalidOperationError(error.message, 'PENDING')
  const sentence = connectionRefusal(error) ?? sentences[code]
  if (isRefusal(error)) return new UnavailableError(lackOfRight(error), { cause: error })
  if (sentence !== undefined) return new UnavailableError(sentence, { cause: error })
  if (isPoolBusy(error)) {
    return new UnavailableError(
      'no connection to the database became free in time: look for transactions that stay open, raise maxConnections, or see whether the database still answers',
      { cause: error },
    )
  }
  if (isNoAnswer(error)) {
    return new UnavailableError(
      'the database did not answer in time: check that it can be reached, and look for sessions that hold locks; the request may have been carried out',
      { cause: error },
    )
  }
  if (isConnectionError(error)) {
    return new UnavailableError('the database cannot be reached: check that it runs and that DATABASE_URL names it', {
      cause: error,
    })
  }
  if (code === '42P01' || code === '42883' || code === '3F000') {
    return new UnavailableError("the database lacks commandbus' tables or pgmq: run `commandbus migrate`", {
      cause: error,
    })
  }
  return error instanceof Error ? error : new Error(String(error))
}

/** The database cannot serve any call now. */
export const isUnavailable = (error: unknown): boolean => toPublicError(error) instanceof UnavailableError
