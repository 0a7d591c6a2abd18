import { type Explained, explain } from '../../domain/explain/index.ts'
import type { Cause, CauseFilter, ExplainQueries } from '../ports/reading/explain.ts'
import { isSensitive } from '../sensitive/hide.ts'
import type { SensitivePath } from '../sensitive/sensitive-paths.ts'
import { commandTypeOf, domainOf, optional, textOf } from '../shared/input.ts'
import { isSecretName } from '../shared/mask-secrets.ts'
import { scopedTenantOf } from '../shared/scope.ts'

/** The most failed and the most succeeded commands that are compared. */
export const MOST_SAMPLES = 1_000

export interface ExplainDeps {
  readonly queries: ExplainQueries
  /** Members that are declared as sensitive: nobody gets them from an explanation. */
  readonly sensitive: () => Promise<readonly SensitivePath[]>
}

/**
 * What the failed commands of a cause have in common that the succeeded ones of the same type have not: nothing when nothing
 * stands out. Members that are sensitive, or named like secrets, are not used.
 * @throws InvalidInputError
 */
export const explainCause =
  ({ queries, sensitive }: ExplainDeps) =>
  async (given: CauseFilter): Promise<Explained> => {
    const cause = causeOf(given)
    const [paths, { failed, succeeded, failedAt }] = await Promise.all([
      sensitive(),
      queries.samples(cause, MOST_SAMPLES),
    ])
    return explain(failed, succeeded, {
      failedAt,
      isHidden: path => isSecretName(path) || isSensitive(paths, { ...cause, path }),
    })
  }

const causeOf = ({ domain, commandType, errorCode, frame, tenantId }: CauseFilter): CauseFilter => {
  const scope = optional(tenantId, scopedTenantOf)
  const cause: Cause = {
    domain: domainOf(domain),
    commandType: commandTypeOf(commandType),
    errorCode: textOf(errorCode, 'errorCode', 200),
    ...(frame === undefined ? {} : { frame: textOf(frame, 'frame', 200) }),
  }
  return { ...cause, ...(scope === null ? {} : { tenantId: scope }) }
}
