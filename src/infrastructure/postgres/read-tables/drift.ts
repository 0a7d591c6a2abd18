import type { Json } from '../../../domain/json/json.ts'

/** A value of a row that differs from what the log says. */
export interface Drift {
  readonly stream: string
  /** The row, where a stream makes several rows; absent for the row of a command. */
  readonly row?: RowName
  /** `*`: the whole row is missing (`found` is null), or exists without events (`expected` is null). */
  readonly column: string
  readonly expected: Json
  readonly found: Json
}

/** The row of a read table that differs from the log. */
export interface RowName {
  readonly table: string
  /** Its primary key, by column. */
  readonly key: { readonly [column: string]: Json }
}
