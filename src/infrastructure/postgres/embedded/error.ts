/** Why the embedded server could not be used; `message` says in one sentence what to do. */
export type EmbeddedServerErrorCode =
  | 'UNSUPPORTED_PLATFORM'
  | 'PERMISSION'
  | 'DISK_FULL'
  | 'WRONG_VERSION'
  | 'INIT_FAILED'
  | 'START_FAILED'
  | 'STOP_FAILED'
  | 'LOCKED'

/** Raised when the embedded PostgreSQL server cannot be started, attached to or stopped. */
export class EmbeddedServerError extends Error {
  override readonly name = 'EmbeddedServerError'
  readonly code: EmbeddedServerErrorCode

  constructor(code: EmbeddedServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The errno name (`EACCES`, `ENOENT`, ...) or SQLSTATE of an unknown error, or undefined. */
export const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
