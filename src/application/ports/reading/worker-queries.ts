import type { Unhandled } from '../../../domain/flow/unhandled.ts'
import type { Scope } from '../authorization.ts'

/** An attempt that a worker runs. */
export interface RunningAttempt {
  readonly commandId: string
  readonly commandType: string
  readonly attempt: number
  /** Since when its handler runs, by the database's clock. ISO 8601. */
  readonly since: string
}

/** `live`: it takes commands. `stopping`: no new ones. `lost`: nothing was heard of it for 20 s. */
export type WorkerStatus = 'live' | 'stopping' | 'lost'

/** A worker that announced itself within the last hour. Times are ISO 8601, by the database's clock. */
export interface KnownWorker {
  /** As the audit names it: `worker:<id>`. */
  readonly workerId: string
  readonly domain: string
  readonly status: WorkerStatus
  /** Null for a caller of one tenant, and so is `pid`. */
  readonly host: string | null
  readonly pid: number | null
  /** The version or commit of its program; null: unknown. */
  readonly build: string | null
  /** The command types that it has handlers for; `*`: all. */
  readonly types: readonly string[]
  /** How many handlers it runs at once at the most, and now. */
  readonly slots: number
  readonly busy: number
  /** The attempts that run longest: at most 20. With a tenant in the scope: those of its commands. */
  readonly running: readonly RunningAttempt[]
  readonly startedAt: string
  /** When it was heard of last. A worker announces itself every 5 s. */
  readonly beatAt: string
}

/** Which workers `workers.list` returns. */
export interface WorkerFilter extends Scope {
  readonly domain?: string
}

export interface WorkerQueries {
  /** By domain, the first 1,000. */
  readonly list: (filter: WorkerFilter) => Promise<readonly KnownWorker[]>
  /** Those that wait longest first. */
  readonly unhandled: (filter: WorkerFilter) => Promise<readonly Unhandled[]>
  readonly isHandled: (domain: string, commandType: string) => Promise<boolean>
}
