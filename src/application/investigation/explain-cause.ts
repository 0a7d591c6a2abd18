import { type Explained, explain } from '../../domain/explain/index.ts'
import type { Cause, CauseFilter, ExplainQueries } from '../ports/reading/explain.ts'
import { commandTypeOf, domainOf, optional, textOf } from '../shared/input.ts'
import { isSecretName } from '../shared/mask-secrets.ts'
import { scopedTenantOf } from '../shared/scope.ts'

/** The most failed and the most succeeded commands that are compared. */
export const MOST_SAMPLES = 2_000

export interface ExplainDeps {
  readonly queries: ExplainQueries
  /** Members of payloads that the caller may not see. */
  readonly isHidden?: (path: string) => boolean
}

/**
 * What the failed commands of a cause have in common that the succeeded ones of the same type have not: nothing when nothing
 * stands out. Values of members that are named like secrets are not used.
 * @throws InvalidInputError
 */
export const explainCause =
  ({ queries, isHidden = () => false }: ExplainDeps) =>
  async (cause: CauseFilter): Promise<Explained> => {
    const { failed, succeeded } = await queries.samples(causeOf(cause), MOST_SAMPLES)
    return explain(failed, succeeded, { isHidden: path => isSecretName(path) || isHidden(path) })
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
