import { EventEncodeError } from '../../../application/ports/event-store.ts'
import { CommandBusError, UnavailableError } from '../../../application/shared/errors.ts'
import { connectionRefusal } from '../network/refusals.ts'
import { NoAnswerError } from '../network/time-limit.ts'

/** Of an error, or of the first of several: each address of a host may fail in a way of its own. */
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
/** The server ends the connection: a shutdown, a crash of another session, or a session that was idle for too long. */
const ENDED = new Set(['57P01', '57P02', '57P03', '57P05', '25P03', '25P04'])

/** The connection broke or the server is not there: whether a commit took place is unknown, so repeat it idempotently. */
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

/** Notes of an error that an earlier try of the same work may have been committed. */
export const markDoubtful = (error: unknown): void => {
  if (typeof error === 'object' && error !== null) doubtful.add(error)
}

/** All connections of the pool were busy for longer than anybody waits; pg-pool says so in these words only. */
const isPoolBusy = (error: unknown): boolean =>
  error instanceof Error && error.message === 'timeout exceeded when trying to connect'

/** There was no answer in time: ours, or pg's own where the user's pool has a `query_timeout`. */
export const isNoAnswer = (error: unknown): boolean =>
  error instanceof NoAnswerError || (error instanceof Error && error.message === 'Query read timeout')

/** No lock in time, or no time left for the statement: limits that the server, the role or its owner has set. */
const GAVE_UP = new Set(['55P03', '57014'])

/** No room left, no connection left, a broken disk, a lock not given, or a standby that has not taken over yet. */
const isUnableNow = (code: string): boolean =>
  code.startsWith('53') || code.startsWith('58') || code === '25006' || GAVE_UP.has(code)

/** There was no connection: nothing was asked. */
const NOT_REACHED = new Set(['EADDRNOTAVAIL', 'EAI_AGAIN', 'EAI_FAIL', 'ECONNREFUSED', 'EMFILE', 'ENFILE', 'ENOTFOUND'])

/** Whether what was asked has been done, at an earlier try perhaps, is unknown. */
export const isInDoubt = (error: unknown): boolean =>
  isNoAnswer(error) ||
  (isConnectionError(error) && !NOT_REACHED.has(codeOf(error))) ||
  (typeof error === 'object' && error !== null && doubtful.has(error))

/** The server refused the statement, or it was never sent: nothing of it, nor of an earlier try, was committed. */
export const isUndone = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  !isInDoubt(error) &&
  (isPoolBusy(error) ||
    NOT_REACHED.has(codeOf(error)) ||
    error instanceof EventEncodeError ||
    (error instanceof CommandBusError ? !(error instanceof UnavailableError) : 'severity' in error))

/** It is the database's trouble, not the statement's, and it passes: what is idempotent may be tried until then. */
export const isOutage = (error: unknown): boolean =>
  isConnectionError(error) ||
  isPoolBusy(error) ||
  isNoAnswer(error) ||
  isUnableNow(codeOf(error)) ||
  isSerializationError(error)

/** The server undid the transaction because of others: the same statement may work at once. */
export const isSerializationError = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error))

/** A lock was not given within `lock_timeout`. */
export const isLockTimeout = (error: unknown): boolean => codeOf(error) === '55P03'

/** A queue that was there when we looked is gone. */
export const isMissingRelation = (error: unknown): boolean => codeOf(error) === '42P01'

/** The role lacks a right. */
export const isRefusal = (error: unknown): boolean => codeOf(error) === '42501'

/** SQLSTATE of a lost race in an all-or-nothing commit. */
export const isLostRace = (error: unknown): boolean => codeOf(error) === 'CB409'

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

/** What PostgreSQL and the bus's own functions say of a right that is missing; they name objects and roles only. */
const REFUSAL = /^(permission denied (for|to) .+|must be (owner|able) .+|role .+ may not .+)$/

const lackOfRight = (error: unknown): string => {
  const said = error instanceof Error && REFUSAL.test(error.message) ? `: ${error.message}` : ''
  return (
    `the database user lacks a right this needs${said}. Let the role that migrates run \`commandbus grants\`, ` +
    'or use that role; `commandbus doctor` says what the database lacks'
  )
}

/**
 * One sentence for what PostgreSQL or the network said, as an error of ours; anything else comes back as it is.
 * Connection strings never appear in it.
 */
export const toPublicError = (error: unknown): Error => {
  if (error instanceof CommandBusError) return error
  const code = codeOf(error)
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
      'the database did not answer in time: check that it can be reached, and look for sessions that hold locks; what was asked may have been done',
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

/** The database cannot serve anybody now, whatever is asked of it. */
export const isUnavailable = (error: unknown): boolean => toPublicError(error) instanceof UnavailableError
