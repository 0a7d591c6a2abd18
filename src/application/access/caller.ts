import type { OperationFilter, OperationUser, StartOperation } from '../operations/operations.ts'
import { isPermitted, isPermittedSomewhere } from '../permits/permits.ts'
import type { Identity, Permission } from '../ports/authorization.ts'
import { scopeOf } from '../shared/scope.ts'
import { type BoundCalls, bindCalls } from './bound-calls.ts'
import { callerPermissions } from './caller-permissions.ts'
import { type CallerDeps, type Calling, demand, demandPermits, demandSomewhere } from './calling.ts'
import { commandCalls } from './command-calls.ts'
import { laneCalls, limitCalls, pauseCalls, workerCalls } from './flow-calls.ts'
import { identityOf } from './identity-of.ts'
import { creditCalls, runCalls } from './run-calls.ts'
import { scheduleCalls } from './schedule-calls.ts'
import { strangerCalls } from './stranger-calls.ts'
import { replyCalls, troubleshootingCalls } from './troubleshooting-calls.ts'

const userOf = ({ identity: { subject, tenant }, scope }: Calling): OperationUser => ({ subject, tenant, ...scope })

const operationCalls = {
  start: async (calling: Calling, start: StartOperation) => {
    return calling.bus.operations.start(userOf(calling), start)
  },
  get: async (calling: Calling, id: string) => {
    return calling.bus.operations.get(userOf(calling), id)
  },
  list: async (calling: Calling, filter: OperationFilter) => {
    return calling.bus.operations.list(userOf(calling), filter)
  },
  retry: async (calling: Calling, id: string) => {
    return calling.bus.operations.retry(userOf(calling), id)
  },
}

const callsFor = bindCalls(
  {
    ...commandCalls,
    ...pauseCalls,
    lanes: laneCalls,
    limits: limitCalls,
    workers: workerCalls,
    troubleshooting: troubleshootingCalls,
    replies: replyCalls,
    strangers: strangerCalls,
    operations: operationCalls,
    runs: runCalls,
    credits: creditCalls,
    schedules: scheduleCalls,
  },
  callerPermissions,
)

export interface Caller extends BoundCalls<typeof commandCalls & typeof pauseCalls> {
  readonly identity: Identity
  readonly lanes: BoundCalls<typeof laneCalls>
  readonly limits: BoundCalls<typeof limitCalls>
  /** A caller of one tenant sees every worker, but only its own commands. */
  readonly workers: BoundCalls<typeof workerCalls>
  readonly troubleshooting: BoundCalls<typeof troubleshootingCalls>
  readonly replies: BoundCalls<typeof replyCalls>
  /** Messages of other programs, which have no tenant: callers of a tenant find none. */
  readonly strangers: BoundCalls<typeof strangerCalls>
  /** The caller's own operations. */
  readonly operations: BoundCalls<typeof operationCalls>
  readonly runs: BoundCalls<typeof runCalls>
  readonly credits: BoundCalls<typeof creditCalls>
  readonly schedules: BoundCalls<typeof scheduleCalls>
  /** Whether the caller has a permission in `domain`; null: in all domains; left out: in some domain. */
  readonly allows: (permission: Permission, domain?: string | null) => boolean
  /** Checks the same. @throws ForbiddenError */
  readonly demand: (permission: Permission, domain?: string | null) => void
}

/**
 * The bus as one identity may use it: every call checks its permission, acts as the identity's subject, and stays within
 * its tenant, or within what has no tenant. Everything else counts as unknown.
 *
 * @throws InvalidInputError for an identity whose `tenant` is neither a name nor null; each call: ForbiddenError
 */
export const createCaller = (deps: CallerDeps, given: Identity): Caller => {
  const identity = identityOf(given)
  const calling = { ...deps, identity, scope: scopeOf(identity, 'ADMIN') }
  return Object.assign(callsFor(calling), {
    identity,
    allows: (name: Permission, domain?: string | null): boolean =>
      deps.authorization.allows(identity, name) &&
      (domain === undefined
        ? isPermittedSomewhere(identity.permissions, name)
        : isPermitted(identity.permissions, { name, domain })),
    demand: (name: Permission, domain?: string | null): void => {
      demand(calling, name)
      if (domain !== undefined) demandPermits(calling, [{ name, domain }])
      else demandSomewhere(calling, name)
    },
  })
}
