import { CommandBusError, UnavailableError } from '../../application/errors.ts'
import { connectionRefusal } from './connection/refusals.ts'

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''

const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])
const SHUTDOWN = new Set(['57P01', '57P02', '57P03'])

/** The connection broke or the server is not there: whether a commit took place is unknown, so repeat it idempotently. */
export const isConnectionError = (error: unknown): boolean => {
  const code = codeOf(error)
  return (
    NETWORK.has(code) ||
    SHUTDOWN.has(code) ||
    code.startsWith('08') ||
    (error instanceof Error &&
      /Connection terminated|connection timeout|timeout expired|Client has encountered a connection error|Connection ended/i.test(
        error.message,
      ))
  )
}

/** All connections of the pool were busy for longer than anybody waits; pg-pool says so in these words only. */
const isPoolBusy = (error: unknown): boolean =>
  error instanceof Error && error.message === 'timeout exceeded when trying to connect'

/** No room left, no connection left, or a standby that has not taken over yet. */
const isUnableNow = (code: string): boolean => code.startsWith('53') || code === '25006'

/** It is the database's trouble, not the statement's, and it passes: what is idempotent may be tried until then. */
export const isOutage = (error: unknown): boolean =>
  isConnectionError(error) || isPoolBusy(error) || isUnableNow(codeOf(error))

/** The server undid the transaction because of others: the same statement may work at once. */
export const isSerializationError = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error))

/** A queue that was there when we looked is gone. */
export const isMissingRelation = (error: unknown): boolean => codeOf(error) === '42P01'

/** SQLSTATE of a lost race in an all-or-nothing commit. */
export const isLostRace = (error: unknown): boolean => codeOf(error) === 'CB409'

const sentences: Readonly<Record<string, string>> = {
  '53100': 'the database server has no disk space left: free some, then try again; nothing was written',
  '53200': 'the database server is out of memory: lower its load or give it more, then try again',
  '53300': 'the database server takes no more connections: raise max_connections or lower the pool size',
  '25006': 'the database is read-only (a standby, or default_transaction_read_only is on): use the primary server',
  '28P01':
    'the database refused the password: check DATABASE_URL, in which characters such as % / ? # @ are percent-encoded',
  '28000': 'the database refused this user: check DATABASE_URL and pg_hba.conf',
  '3D000': 'the database named in DATABASE_URL does not exist: create it first',
  '42501': 'the database user lacks a right this needs: grant it, or use the owner of the commandbus tables',
}

/**
 * One sentence for what PostgreSQL or the network said, as an error of ours; anything else comes back as it is.
 * Connection strings never appear in it.
 */
export const toPublicError = (error: unknown): Error => {
  if (error instanceof CommandBusError) return error
  const code = codeOf(error)
  const sentence = connectionRefusal(error) ?? sentences[code]
  if (sentence !== undefined) return new UnavailableError(sentence, { cause: error })
  if (isPoolBusy(error)) {
    return new UnavailableError(
      'no connection to the database became free in time: look for transactions that stay open, or raise maxConnections',
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
