import type { CauseKey } from '../../../domain/flow/cause/events.ts'
import type { Scope } from '../authorization.ts'

/** A pause that is or was in force. Times are ISO 8601. */
export interface Pause {
  readonly pauseId: string
  readonly domain: string
  /** Null: every type. */
  readonly commandType: string | null
  /** Null: every tenant, and commands without one. */
  readonly tenantId: string | null
  readonly reason: string
  /** It ends by itself then; null: when it is resumed. */
  readonly until: string | null
  readonly pausedBy: string
  readonly pausedAt: string
}

/** With a tenant in the scope: its own pauses, and those for all tenants. */
export interface PauseFilter extends Scope {
  readonly domain?: string
}

export interface PauseQueries {
  /** Those in force now by the database's clock, newest first: the first 1,000. */
  readonly inForce: (filter: PauseFilter) => Promise<readonly Pause[]>
}

export interface CauseQueries {
  /** Causes about which something was written down, the last 100 that changed; null is no condition. */
  readonly find: (filter: { readonly [Name in keyof CauseKey]: string | null }) => Promise<readonly CauseKey[]>
}
