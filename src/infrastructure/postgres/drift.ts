import type { Json } from '../../domain/command/events.ts'

/** One value of a row that is not what the log says. */
export interface Drift {
  readonly stream: string
  /** `*`: the row as a whole is missing (`found` is null), or is there without events (`expected` is null). */
  readonly column: string
  readonly expected: Json
  readonly found: Json
}
