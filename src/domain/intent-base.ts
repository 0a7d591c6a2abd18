import type { Instant } from './instant.ts'

/** Time and actor come from the caller: the domain has no clock. */
export interface IntentBase {
  readonly at: Instant
  readonly actor: string
}
