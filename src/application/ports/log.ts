/** Structured logging; a pino logger can be used directly. */
export interface Log {
  /** What only helps to find a mistake. */
  readonly debug: (fields: object, message: string) => void
  /** What happens in normal work. */
  readonly info: (fields: object, message: string) => void
  /** What went wrong and is tried again, or needs a look. */
  readonly warn: (fields: object, message: string) => void
  /** What failed. */
  readonly error: (fields: object, message: string) => void
}

export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
