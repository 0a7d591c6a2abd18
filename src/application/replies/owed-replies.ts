import { YEAR_SECONDS } from '../../domain/instant.ts'
import type { OwedFilter, OwedQueries, OwedReplies } from '../ports/reading/owed.ts'
import { booleanOf, defined, domainOf, optional, pagingOf, textOf, wholeOf } from '../shared/input.ts'
import { scopedTenantOf } from '../shared/scope.ts'

/** A sender that has waited for an hour is worth a look. */
export const USUAL_LATE_SECONDS = 3_600

export const lateAfterOf = (value: unknown): number => wholeOf(value, 'lateAfterSeconds', 1, YEAR_SECONDS)

/** The call for replies that are owed, with its input checked. */
export const createOwedReplies = (queries: OwedQueries, lateAfterSeconds: number) => ({
  /**
   * The senders that wait for a reply, oldest first: a command owes one from its send until it has ended, also while it is
   * parked. A reply that could not be put on its queue is not owed any more, but listed by `undelivered`.
   * @throws InvalidInputError
   */
  owed: async (filter: OwedFilter = {}): Promise<OwedReplies> =>
    queries.list({
      ...defined({
        domain: optional(filter.domain, domainOf) ?? undefined,
        queue: optional(filter.queue, value => textOf(value, 'queue', 200)) ?? undefined,
        late: optional(filter.late, value => booleanOf(value, 'late')) ?? undefined,
        tenantId: optional(filter.tenantId, scopedTenantOf) ?? undefined,
      }),
      ...pagingOf(filter),
      lateAfterSeconds: optional(filter.lateAfterSeconds, lateAfterOf) ?? lateAfterSeconds,
    }),
})

export type OwedCalls = ReturnType<typeof createOwedReplies>
