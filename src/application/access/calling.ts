import { ANY_PATH } from '../../domain/json/payload-path.ts'
import type { Sender } from '../commands/sender.ts'
import { isPermitted, isPermittedSomewhere, type Need, permitFor } from '../permits/permits.ts'
import type { Authorization, Identity, Permission, Scope } from '../ports/authorization.ts'
import type { Log } from '../ports/log.ts'
import type { AdmitQueues } from '../ports/queue.ts'
import type { Subscribe } from '../ports/reading/live-events.ts'
import type { StatsReader } from '../ports/reading/stats.ts'
import type { Request } from '../replies/request.ts'
import { hide, isSensitive } from '../sensitive/hide.ts'
import { ANY_TYPE, type SensitivePaths } from '../sensitive/sensitive-paths.ts'
import { ForbiddenError } from '../shared/errors.ts'
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
  throw new ForbiddenError(
    `this needs ${permitFor(missing)} among the permissions of the token${missing.domain === null ? ', because it is not limited to one domain' : ''}`,
  )
}

/** @throws ForbiddenError when the caller's own list names the permission for no domain at all */
export const demandSomewhere = ({ identity: { permissions } }: Calling, permission: Permission): void => {
  if (isPermittedSomewhere(permissions, permission)) return
  throw new ForbiddenError(`the permissions of the token name nothing of what this needs: ${permission}@<domain>`)
}

const revealsTo =
  ({ authorization, identity }: Calling) =>
  (domain: string | null): boolean =>
    authorization.allows(identity, 'reveal') && isPermitted(identity.permissions, { name: 'reveal', domain })

/** An answer as this caller may see it. */
export const hideFrom = async <A>(calling: Calling, answer: A, domain: string | null): Promise<A> => {
  const reveals = revealsTo(calling)
  const isWhole = typeof answer !== 'object' || answer === null || reveals(null)
  return isWhole ? answer : hide(answer, { paths: await calling.sensitive.known(), reveals }, { domain })
}

/** A search would tell the value of a member that the caller cannot see. @throws ForbiddenError */
export const demandSearchable = async (calling: Calling, path: string, domain: string | null): Promise<void> => {
  if (revealsTo(calling)(domain)) return
  const sensitive = await calling.sensitive.known()
  const searchable = sensitive.length === 0 ? [] : await calling.bus.search.declared()
  const hidden = searchable.find(one => (path === ANY_PATH || one.path === path) && isSensitive(sensitive, one))
  if (hidden === undefined) return
  throw new ForbiddenError(
    `${hidden.path} of ${hidden.commandType} is sensitive: to search it needs one of the roles ${rolesFor.reveal.join(', ')}`,
  )
}

/** Another payload would replace members that its editor cannot see. @throws ForbiddenError */
export const demandSight = async (calling: Calling, domain: string, commandId: string): Promise<void> => {
  if (revealsTo(calling)(domain)) return
  const paths = (await calling.sensitive.known()).filter(path => path.domain === domain)
  if (paths.length === 0) return
  const command = await calling.bus.getCommand(domain, commandId)
  if (paths.some(({ commandType }) => commandType === ANY_TYPE || commandType === command?.commandType)) {
    throw new ForbiddenError(
      `members of this payload are hidden from you: another payload needs permission reveal (${rolesFor.reveal.join(', ')})`,
    )
  }
}
