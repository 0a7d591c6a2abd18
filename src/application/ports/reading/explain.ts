import type { Sample } from '../../../domain/explain/index.ts'

/** The parked and failed commands of one cause. */
export interface Cause {
  readonly domain: string
  readonly commandType: string
  readonly errorCode: string
  /** Where it was thrown, as a group shows it; `none`: not known. Without it: everywhere. */
  readonly frame?: string
}

/** Set by the application, from the caller's identity. */
export type CauseFilter = Cause & { readonly tenantId?: string }

export interface ExplainQueries {
  /**
   * The failed of a cause, and succeeded commands of the same type from about the same time, at most `most` of each, spread
   * over their time as all of them are.
   */
  readonly samples: (cause: CauseFilter, most: number) => Promise<Samples>
}

export interface Samples {
  readonly failed: readonly Sample[]
  readonly succeeded: readonly Sample[]
  /**
   * When those that failed like this were sent, in milliseconds since 1970: also those that operators have dealt with since.
   * Without them, the failures would seem to have begun with the last ones that were dealt with.
   */
  readonly failedAt: readonly number[]
}
