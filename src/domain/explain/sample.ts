import type { Instant } from '../instant.ts'
import type { Json } from '../json/json.ts'

/** A command as an explanation sees it. */
export interface Sample {
  /** Its payload; undefined: too large to be read. */
  readonly data: Json | undefined
  readonly tenant: string | null
  /** Who ran its last attempt, and with which build of the program; null: not known. */
  readonly worker: string | null
  readonly build: string | null
  /** When it was sent. */
  readonly at: Instant
}

/** How many failed and succeeded commands have something in common. */
export interface Counts {
  readonly failed: number
  readonly succeeded: number
}
