import type { Json } from '../json/json.ts'

export const findingKinds = ['value', 'member', 'type', 'range', 'tenant', 'worker', 'build', 'time'] as const
/** What kind of difference was found. */
export type FindingKind = (typeof findingKinds)[number]

/** What most of the failed have, and few of the succeeded. */
export interface Finding {
  readonly kind: FindingKind
  /** Of the payload, as in `customer.country` or `items[].sku`; `name.length` for the length of a text or list. */
  readonly path?: string
  /**
   * `value`: the value itself; `member`: `present` or `missing`; `type`: the type; `range` and `time`: `{from?, to?}`, both
   * inclusive; `tenant`, `worker`, `build`: its name, or null where there is none.
   */
  readonly value: Json
  /** Of those that were compared, 0 to 1. */
  readonly failedShare: number
  readonly succeededShare: number
  readonly sentence: string
}

/** What most of the failed commands of a cause have, and few of the succeeded. */
export interface Explained {
  /** How many commands were compared. */
  readonly failed: number
  readonly succeeded: number
  /** Best first; empty: nothing stands out. */
  readonly findings: readonly Finding[]
}

export interface ExplainOptions {
  /** Members that may not be used, by their path; with those below them. */
  readonly isHidden?: (path: string) => boolean
  /**
   * When those that failed like this were sent, in milliseconds since 1970, with those that have been dealt with since.
   * Default: when the failed ones were.
   */
  readonly failedAt?: readonly number[]
}
