import { type DestinationStream, destination, type Logger, pino } from 'pino'
import { HIDDEN, isSecretName, maskSecrets } from '../../application/shared/mask-secrets.ts'
import { plainJson } from '../../domain/visible-text.ts'
import { traceFields } from './tracing.ts'

export interface LoggerOptions {
  readonly level: string
  /** The program or the part of it. */
  readonly name: string
  /** Default: standard error; what a program prints for people goes to standard output. */
  readonly to?: DestinationStream
}

/** Deeper members are left out. */
const MAX_DEPTH = 5

/** Names that pino hides in the fields of child loggers, which the formatter does not see. */
const paths = ['password', 'secret', 'token', 'authorization', 'cookie', 'databaseUrl', 'connectionString'].flatMap(
  name => [name, `*.${name}`],
)

/** Structured logs. Masks secrets in messages, errors (with their causes) and fields, by their name and their form. */
export const createLogger = ({ level, name, to }: LoggerOptions): Logger => {
  // stack traces only at levels debug and trace
  const withStack = level === 'debug' || level === 'trace'
  return pino(
    {
      level,
      name,
      redact: { paths, censor: HIDDEN },
      serializers: { err: error => errorFields(error, withStack), msg: text => masked(text) },
      formatters: { level: label => ({ level: label }), log: fields => hideFields(fields, withStack) },
      mixin: traceFields,
      hooks: { streamWrite: plainJson },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    to ?? destination({ dest: 2, sync: true }),
  )
}

/** A logger whose lines all carry these ids. Ids come from outside: what looks like a secret is masked. */
export const withIds = (log: Logger, ids: { readonly requestId?: string; readonly correlationId?: string }): Logger =>
  log.child(hideFields(ids, false))

const masked = (text: unknown): unknown => (typeof text === 'string' ? maskSecrets(text) : text)

const hideFields = (fields: object, withStack: boolean): Record<string, unknown> => {
  const shown: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    // the serializer of errors does these
    shown[name] = name === 'err' ? value : isSecretName(name) ? HIDDEN : hide(value, 1, withStack)
  }
  return shown
}

const hide = (value: unknown, depth: number, withStack: boolean): unknown => {
  if (typeof value === 'string') return maskSecrets(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return errorFields(value, withStack)
  if (depth >= MAX_DEPTH) return '(left out)'
  if (Array.isArray(value)) return value.map(item => hide(item, depth + 1, withStack))
  // requests, dates and the like have serializers or `toJSON`
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value))) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      isSecretName(name) ? HIDDEN : hide(member, depth + 1, withStack),
    ]),
  )
}

const errorFields = (error: unknown, withStack: boolean, depth = 0): unknown => {
  if (!(error instanceof Error)) return hide(error, 1, withStack)
  const code = 'code' in error ? error.code : undefined
  return {
    type: error.name,
    ...(code === undefined ? {} : { code: masked(code) }),
    message: maskSecrets(error.message),
    ...(withStack && error.stack !== undefined ? { stack: maskSecrets(error.stack) } : {}),
    ...(error.cause === undefined || depth >= 3 ? {} : { cause: errorFields(error.cause, withStack, depth + 1) }),
  }
}
