import type { Json } from '../../../domain/json/json.ts'

/** One value of a row that is not what the log says. */
export interface Drift {
  readonly stream: string
  /** Which row it is, where a stream makes more rows than one; absent: the row of a command. */
  readonly row?: RowName
  /** `*`: the row as a whole is missing (`found` is null), or is there without events (`expected` is null). */
  readonly column: string
  readonly expected: Json
  readonly found: Json
}

export interface RowName {
  readonly table: string
  /** Its primary key, by column. */
  readonly key: { readonly [column: string]: Json }
}
