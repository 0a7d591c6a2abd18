import { ANY_PATH } from '../../domain/json/payload-path.ts'
import type { Sender } from '../commands/sender.ts'
import { isPermitted, isPermittedSomewhere, type Need, permitFor } from '../permits/permits.ts'
import type { Authorization, Identity, Permission, Scope } from '../ports/authorization.ts'
import type { Log } from '../ports/log.ts'
import type { AdmitQueues } from '../ports/queue.ts'
import type { Subscribe } from '../ports/reading/live-events.ts'
import type { StatsReader } from '../ports/reading/stats.ts'
import type { Searchable } from '../ports/search/searchable.ts'
import type { Request } from '../replies/request.ts'
import { hide, isSensitive } from '../sensitive/hide.ts'
import { ANY_TYPE, type SensitivePaths } from '../sensitive/sensitive-paths.ts'
import { ForbiddenError } from '../shared/errors.ts'
import { isWithin } from '../shared/scope.ts'
import type { BusCalls } from './bus-calls.ts'
import type { MayReplyTo } from './reply-queues.ts'
import { rolesFor } from './roles.ts'

export interface CallerDeps {
  readonly bus: BusCalls
  readonly send: Sender['send']
  readonly sendBatch: Sender['batch']
  readonly request: Request
  /** The queue for replies to requests of callers without a tenant. */
  readonly requestQueue: string
  readonly subscribe: Subscribe
  readonly stats: StatsReader
  readonly authorization: Authorization
  /** Domains whose commands only the bus sends, each with the call to use instead. */
  readonly reservedDomains: ReadonlyMap<string, string>
  readonly mayReplyTo: MayReplyTo
  readonly admit: AdmitQueues
  readonly log: Log
  readonly sensitive: Pick<SensitivePaths, 'known'>
}

/** The first argument of each call: the bus, the identity that calls, and its scope. */
export interface Calling extends CallerDeps {
  readonly identity: Identity
  readonly scope: Scope
}

/** A filter without `tenantId`: a caller sees its own tenant. */
export type CallersFilter<Filter> = Omit<Filter, 'tenantId'>

/** What the roles allow. @throws ForbiddenError */
export const demand = ({ authorization, identity }: Calling, permission: Permission): void => {
  if (authorization.allows(identity, permission)) return
  throw new ForbiddenError(`this needs one of the roles ${rolesFor[permission].join(', ')}`)
}

/** What the caller's own list of permissions must name, if there is one. @throws ForbiddenError */
export const demandPermits = ({ identity: { permissions } }: Calling, needs: readonly Need[]): void => {
  const missing = needs.find(need => !isPermitted(permissions, need))
  if (missing === undefined) return
  // neither its domain nor whether it exists is told
  const needed = missing.isLookedUp === true ? `${missing.name}@<its domain>` : permitFor(missing)
  const why = missing.isLookedUp !== true && missing.domain === null ? ', because it is not limited to one domain' : ''
  throw new ForbiddenError(`this needs ${needed} among the permissions of the token${why}`)
}

/** Both, in all domains. @throws ForbiddenError */
export const demandEverywhere = (calling: Calling, permission: Permission): void => {
  demand(calling, permission)
  demandPermits(calling, [{ name: permission, domain: null }])
}

/** Whether roles and the caller's own list allow it in a domain; null: in all. */
export const may = ({ authorization, identity }: Calling, name: Permission, domain: string | null): boolean =>
  authorization.allows(identity, name) && isPermitted(identity.permissions, { name, domain })

/** @throws ForbiddenError when the caller's own list names the permission for no domain at all */
export const demandSomewhere = ({ identity: { permissions } }: Calling, permission: Permission): void => {
  if (isPermittedSomewhere(permissions, permission)) return
  throw new ForbiddenError(`the permissions of the token name nothing of what this needs: ${permission}@<domain>`)
}

const revealsTo =
  (calling: Calling) =>
  (domain: string | null): boolean =>
    may(calling, 'reveal', domain)

/** An answer as this caller may see it. */
export const hideFrom = async <A>(calling: Calling, answer: A, domain: string | null): Promise<A> => {
  const reveals = revealsTo(calling)
  const isWhole = typeof answer !== 'object' || answer === null || reveals(null)
  return isWhole ? answer : hide(answer, { paths: await calling.sensitive.known(), reveals }, { domain })
}

/** What is searched by this path and hidden from the caller; undefined: nothing. */
export const hiddenFromSearch = async (
  calling: Calling,
  path: string,
  domain: string | null,
): Promise<Searchable | undefined> => {
  if (may(calling, 'reveal', domain)) return undefined
  const sensitive = await calling.sensitive.known()
  const searchable = sensitive.length === 0 ? [] : await calling.bus.search.declared()
  return searchable.find(one => (path === ANY_PATH || one.path === path) && isSensitive(sensitive, one))
}

/** A search would tell the value of a member that the caller cannot see. @throws ForbiddenError */
export const demandSearchable = async (calling: Calling, path: string, domain: string | null): Promise<void> => {
  const hidden = await hiddenFromSearch(calling, path, domain)
  if (hidden === undefined) return
  throw new ForbiddenError(
    `${hidden.path} of ${hidden.commandType} is sensitive: to search it needs one of the roles ${rolesFor.reveal.join(', ')}`,
  )
}

/** Whether members of payloads are hidden from the caller; null: of any domain, of any type. */
export const hidesFrom = async (
  calling: Calling,
  domain: string | null,
  commandType: string | null,
): Promise<boolean> => {
  const reveals = revealsTo(calling)
  if (reveals(domain)) return false
  return (await calling.sensitive.known()).some(
    path =>
      (domain === null ? !reveals(path.domain) : path.domain === domain) &&
      (commandType === null || path.commandType === ANY_TYPE || path.commandType === commandType),
  )
}

/** @throws ForbiddenError */
export const refuseUnseen = (what: string): never => {
  throw new ForbiddenError(
    `members of this payload are hidden from you: ${what} needs permission reveal (${rolesFor.reveal.join(', ')})`,
  )
}

/** Another payload would replace members that its editor cannot see. @throws ForbiddenError */
export const demandSight = async (calling: Calling, domain: string, commandId: string): Promise<void> => {
  if (!(await hidesFrom(calling, domain, null))) return
  const command = await calling.bus.getCommand(domain, commandId)
  // of another tenant: the call itself does not find it
  if (command === null || !isWithin(calling.scope, command.tenantId)) return
  if (await hidesFrom(calling, domain, command.commandType)) refuseUnseen('another payload')
}
