import type { Unhandled } from '../../domain/flow/unhandled.ts'
import type { KnownWorker, WorkerFilter, WorkerQueries } from '../ports/reading/worker-queries.ts'
import { commandTypeOf, domainOf, optional } from '../shared/input.ts'
import { scopedTenantOf } from '../shared/scope.ts'

/** Who works, and for which commands there is nobody. */
export const createWorkerCalls = (queries: WorkerQueries) => ({
  /** The workers that were heard of within the last hour, by domain: at most 1,000, lost ones only if there is room. @throws InvalidInputError */
  list: async (filter: WorkerFilter = {}): Promise<readonly KnownWorker[]> => queries.list(filterOf(filter)),
  /**
   * The domains, and the types in domains with workers, whose commands could begin now and that no worker is there for. What
   * is paused, waits for its time or its turn, is not among them. Those that wait longest first. Of each queue the first
   * 1,000 messages are looked at, and no more than 100 domains. @throws InvalidInputError
   */
  missing: async (filter: WorkerFilter = {}): Promise<readonly Unhandled[]> => queries.unhandled(filterOf(filter)),
  /** Whether a worker is there that takes commands of this type. @throws InvalidInputError */
  handles: async (domain: string, commandType: string): Promise<boolean> =>
    queries.isHandled(domainOf(domain), commandTypeOf(commandType)),
})

export type WorkerCalls = ReturnType<typeof createWorkerCalls>

const filterOf = (filter: WorkerFilter): WorkerFilter => {
  const domain = optional(filter.domain, domainOf)
  const tenantId = optional(filter.tenantId, scopedTenantOf)
  return { ...(domain === null ? {} : { domain }), ...(tenantId === null ? {} : { tenantId }) }
}
