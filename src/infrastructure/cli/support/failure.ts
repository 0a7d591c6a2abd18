import { CommanderError } from 'commander'
import { CommandBusError, InvalidInputError, InvalidPayloadError } from '../../../application/shared/errors.ts'
import { maskSecrets } from '../../../application/shared/mask-secrets.ts'
import { toPublicError } from '../../postgres/connection/errors.ts'
import { EmbeddedServerError } from '../../postgres/embedded/index.ts'
import { PgmqMissingError } from '../../postgres/schema/pgmq-install.ts'
import { MigrationError, SchemaVersionError } from '../../postgres/schema/schema-version.ts'
import { ConfigError } from '../../settings/config.ts'

/** The command line itself cannot be understood. */
export class UsageError extends CommandBusError {
  override readonly name = 'UsageError'
  constructor(message: string) {
    super('USAGE', message)
  }
}

/** Ends a command with exit code 1 when its output has been printed already. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

export interface Failure {
  /** 1: refused or failed; 2: the command line is not valid. */
  readonly exitCode: 1 | 2
  readonly code: string
  /** One sentence, without secrets and stack traces. */
  readonly message: string
}

/** One line, no connection strings. */
export const oneSentence = (message: string): string =>
  maskSecrets(message)
    .replace(/\s*\n\s*/g, ' ')
    .trim()

const codeOf = (error: Error): string => {
  if (error instanceof CommandBusError) return error.code
  if (error instanceof EmbeddedServerError) return `EMBEDDED_${error.code}`
  if (error instanceof SchemaVersionError) return 'SCHEMA_VERSION'
  if (error instanceof MigrationError) return 'MIGRATION_FAILED'
  if (error instanceof PgmqMissingError) return 'PGMQ_MISSING'
  return 'FAILED'
}

const isUsage = (error: unknown): boolean =>
  error instanceof UsageError ||
  error instanceof InvalidInputError ||
  error instanceof InvalidPayloadError ||
  error instanceof ConfigError

/** How the command line reports any error. */
export const failureOf = (thrown: unknown): Failure => {
  if (thrown instanceof CommanderError) {
    return { exitCode: 2, code: 'USAGE', message: oneSentence(thrown.message.replace(/^error: /, '')) }
  }
  const error = toPublicError(thrown)
  return { exitCode: isUsage(error) ? 2 : 1, code: codeOf(error), message: oneSentence(error.message || error.name) }
}
