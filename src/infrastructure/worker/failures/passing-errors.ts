import type { MapError } from './failures.ts'

const CODES = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_SOCKET',
])
const NAMES = new Set(['AbortError', 'TimeoutError'])
const DEEPEST_CAUSE = 5
const MOST_MEMBERS = 100

/**
 * Retries only errors that pass by themselves: timeouts, failed connections, and HTTP answers that mean "later" (5xx, 408, 429),
 * also as the cause of an error or as a member of an AggregateError.
 */
export const onlyPassingErrors: MapError = error => ({
  type: isPassing(error, DEEPEST_CAUSE) ? 'TRANSIENT' : 'PERMANENT',
})

const isPassing = (error: unknown, depth: number): boolean => {
  if (typeof error !== 'object' || error === null || depth === 0) return false
  const { name, code, status, statusCode, cause, errors } = error as Readonly<Record<string, unknown>>
  return (
    (typeof name === 'string' && NAMES.has(name)) ||
    (typeof code === 'string' && CODES.has(code)) ||
    saysLater(status ?? statusCode) ||
    isPassing(cause, depth - 1) ||
    (Array.isArray(errors) && errors.slice(0, MOST_MEMBERS).some(member => isPassing(member, depth - 1)))
  )
}

const saysLater = (status: unknown): boolean =>
  typeof status === 'number' && ((status >= 500 && status < 600) || status === 408 || status === 429)
