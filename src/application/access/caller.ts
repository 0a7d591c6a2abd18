import { parsePayloadCondition } from '../../domain/json/payload-path.ts'
import type { OperationFilter, OperationUser, StartOperation } from '../operations/operations.ts'
import { isPermittedSomewhere } from '../permits/permits.ts'
import type { Identity, Permission } from '../ports/authorization.ts'
import type { View } from '../ports/search/views.ts'
import type { DeclareSearchOptions, DropSearchOptions } from '../search/search.ts'
import type { SetView } from '../search/views.ts'
import { HIDDEN } from '../sensitive/hide.ts'
import { ForbiddenError } from '../shared/errors.ts'
import { scopeOf } from '../shared/scope.ts'
import { type BoundCalls, bindCalls } from './bound-calls.ts'
import { callerPermissions } from './caller-permissions.ts'
import {
  type CallerDeps,
  type Calling,
  demand,
  demandEverywhere,
  demandPermits,
  demandSomewhere,
  hiddenFromSearch,
  may,
} from './calling.ts'
import { commandCalls, figureCalls } from './command-calls.ts'
import { causeCalls, laneCalls, limitCalls, pauseCalls, workerCalls } from './flow-calls.ts'
import { identityOf } from './identity-of.ts'
import { creditCalls, runCalls } from './run-calls.ts'
import { scheduleCalls } from './schedule-calls.ts'
import { strangerCalls } from './stranger-calls.ts'
import { alertCalls, replyCalls, troubleshootingCalls } from './troubleshooting-calls.ts'

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

const searchCalls = {
  declared: async ({ bus }: Calling) => {
    return bus.search.declared()
  },
  /** Does not wait for the commands that are there already. */
  declare: async (calling: Calling, options: Omit<DeclareSearchOptions, 'operator' | 'wait'>) => {
    demandAllTenants(calling)
    return calling.bus.search.declare({ ...options, operator: calling.identity.subject, wait: false })
  },
  drop: async (calling: Calling, options: DropSearchOptions) => {
    demandAllTenants(calling)
    return calling.bus.search.drop({ ...options, wait: false })
  },
}

/** Declarations hold for the commands of all tenants. @throws ForbiddenError */
const demandAllTenants = ({ identity }: Calling): void => {
  if (identity.tenant === null) return
  throw new ForbiddenError('what payloads are searched by holds for all tenants: this needs a token without a tenant')
}

/** A filter may hold the value of a member that the reader of the view cannot see. */
const shownView = async (calling: Calling, view: View): Promise<View> => {
  const { payload, domain = null } = view.filter
  const condition = payload === undefined ? null : parsePayloadCondition(payload, ':')
  if (condition === null || (await hiddenFromSearch(calling, condition.path, domain)) === undefined) return view
  return { ...view, filter: { ...view.filter, payload: `${condition.path}:${HIDDEN}` } }
}

/** The caller's own views, and those that are shared in the tenant. */
const viewCalls = {
  list: async (calling: Calling) => {
    return Promise.all((await calling.bus.views.list(calling.identity)).map(view => shownView(calling, view)))
  },
  get: async (calling: Calling, name: string) => {
    return shownView(calling, await calling.bus.views.get(calling.identity, name))
  },
  set: async (calling: Calling, name: string, options: SetView) => {
    if (options.shared === true) demandEverywhere(calling, 'operate')
    return calling.bus.views.set(calling.identity, name, options)
  },
  delete: async (calling: Calling, name: string, options: { readonly shared?: boolean } = {}) => {
    if (options.shared === true) demandEverywhere(calling, 'operate')
    return calling.bus.views.delete(calling.identity, name, options)
  },
}

const callsFor = bindCalls(
  {
    ...commandCalls,
    ...pauseCalls,
    figures: figureCalls,
    lanes: laneCalls,
    limits: limitCalls,
    workers: workerCalls,
    troubleshooting: troubleshootingCalls,
    causes: causeCalls,
    alerts: alertCalls,
    replies: replyCalls,
    search: searchCalls,
    views: viewCalls,
    strangers: strangerCalls,
    operations: operationCalls,
    runs: runCalls,
    credits: creditCalls,
    schedules: scheduleCalls,
  },
  callerPermissions,
)

/**
 * The bus as one identity may use it (`bus.as(identity)`): each call checks its roles, permissions and tenant. @throws
 * ForbiddenError
 */
export interface Caller extends BoundCalls<typeof commandCalls & typeof pauseCalls> {
  readonly identity: Identity
  /** Figures of what the caller may see: commands without a tenant, and queues only with those of all tenants. */
  readonly figures: BoundCalls<typeof figureCalls>
  readonly lanes: BoundCalls<typeof laneCalls>
  readonly limits: BoundCalls<typeof limitCalls>
  /** A caller of one tenant sees every worker, but only its own commands. */
  readonly workers: BoundCalls<typeof workerCalls>
  readonly troubleshooting: BoundCalls<typeof troubleshootingCalls>
  readonly alerts: BoundCalls<typeof alertCalls>
  readonly causes: BoundCalls<typeof causeCalls>
  readonly replies: BoundCalls<typeof replyCalls>
  readonly search: BoundCalls<typeof searchCalls>
  readonly views: BoundCalls<typeof viewCalls>
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
      domain === undefined
        ? deps.authorization.allows(identity, name) && isPermittedSomewhere(identity.permissions, name)
        : may(calling, name, domain),
    demand: (name: Permission, domain?: string | null): void => {
      demand(calling, name)
      if (domain !== undefined) demandPermits(calling, [{ name, domain }])
      else demandSomewhere(calling, name)
    },
  })
}
