import { destination, type Logger, pino } from 'pino'
import type { LogLevel } from '../config.ts'
import { redact } from './redact.ts'

const names = ['password', 'secret', 'token', 'authorization', 'cookie', 'databaseUrl', 'connectionString']
const paths = names.flatMap(name => [name, `*.${name}`, `*.*.${name}`])

/** Stack traces are for those who ask for them. */
const errorFields =
  (withStack: boolean) =>
  (error: unknown): object => {
    if (!(error instanceof Error)) return { message: redact(String(error)) }
    return {
      type: error.name,
      ...('code' in error ? { code: error.code } : {}),
      message: redact(error.message),
      ...(withStack && error.stack !== undefined ? { stack: redact(error.stack) } : {}),
    }
  }

/** Structured logs on standard error, without secrets; what a program prints for people goes to standard output. */
export const createLogger = (level: LogLevel, name: string): Logger =>
  pino(
    {
      level,
      name,
      redact: { paths, censor: '(hidden)' },
      serializers: { err: errorFields(level === 'debug' || level === 'trace') },
      formatters: { level: label => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: {
        logMethod(args, method) {
          const [first, message, ...rest] = args as unknown as [unknown, unknown, ...unknown[]]
          method.apply(this, [first, typeof message === 'string' ? redact(message) : message, ...rest] as never)
        },
      },
    },
    destination({ dest: 2, sync: true }),
  )
