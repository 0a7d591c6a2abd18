import type { Sender } from '../commands/sender.ts'
import type { Authorization, Identity, Permission, Scope } from '../ports/authorization.ts'
import type { Log } from '../ports/log.ts'
import type { AdmitQueues } from '../ports/queue.ts'
import type { Subscribe } from '../ports/reading/live-events.ts'
import type { StatsReader } from '../ports/reading/stats.ts'
import type { Request } from '../replies/request.ts'
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
}

/** The first argument of each call: the bus, the identity that calls, and its scope. */
export interface Calling extends CallerDeps {
  readonly identity: Identity
  readonly scope: Scope
}

export type CallersFilter<Filter> = Omit<Filter, 'tenantId'>

/** @throws ForbiddenError */
export const demand = ({ authorization, identity }: Calling, permission: Permission): void => {
  if (authorization.allows(identity, permission)) return
  throw new ForbiddenError(`this needs one of the roles ${rolesFor[permission].join(', ')}`)
}
