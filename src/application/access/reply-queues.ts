import type { Identity } from '../ports/authorization.ts'
import { InvalidInputError, ReplyQueueRefusedError } from '../shared/errors.ts'

/** Whether a caller of this tenant (null: of none) may have replies sent to a queue. */
export type MayReplyTo = (queue: string, tenant: string | null) => boolean

const TENANT = '{tenant}'
const OF_ALL = /^[a-z0-9_*-]+$/
/** After the tenant comes its end or `__`, so that no queue fits two tenants, whatever they are called. */
const OF_A_TENANT = /^[a-z0-9_-]*\{tenant\}(__[a-z0-9_*-]+)?$/

/** See `replyQueuesOf`. */
export const isReplyQueuePattern = (text: string): boolean => OF_ALL.test(text) || OF_A_TENANT.test(text)

export const replyQueueForm =
  "names of queues, with '*' for any part of one, or with {tenant} at the end or before '__'"

/**
 * Patterns of queues that callers may name in `replyTo`. `*` stands for any part of a name; `{tenant}` for the caller's
 * tenant, so that a pattern with it is for nobody without one. Default: a tenant has `t_{tenant}__*`, and callers
 * without a tenant have all that begins otherwise. @throws InvalidInputError
 */
export const replyQueuesOf = (patterns: readonly string[] | undefined): MayReplyTo => {
  if (patterns === undefined) {
    return (queue, tenant) => (tenant === null ? !queue.startsWith('t_') : fits('t_{tenant}__*', queue, tenant))
  }
  for (const pattern of patterns) {
    if (typeof pattern !== 'string' || !isReplyQueuePattern(pattern)) {
      throw new InvalidInputError('replyQueues', `must be ${replyQueueForm}`)
    }
  }
  return (queue, tenant) => patterns.some(pattern => fits(pattern, queue, tenant))
}

/** In a tenant's pattern a part holds no `__`: `a__b__x` is of tenant `a__b`, not of `a`. */
const fits = (pattern: string, queue: string, tenant: string | null): boolean => {
  const ofTenant = pattern.includes(TENANT)
  if (ofTenant && tenant === null) return false
  const part = ofTenant ? '[a-z0-9]([_-]?[a-z0-9])*' : '[a-z0-9_-]*'
  const expression = pattern.split('*').map(text => literal(text.replace(TENANT, () => tenant ?? '')))
  return new RegExp(`^${expression.join(part)}$`).test(queue)
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** What is not a text is refused when it is sent. @throws ReplyQueueRefusedError */
export const demandOwnQueue = (
  { mayReplyTo, identity: { tenant } }: { readonly mayReplyTo: MayReplyTo; readonly identity: Identity },
  queue: unknown,
): void => {
  if (typeof queue !== 'string' || mayReplyTo(queue, tenant)) return
  throw new ReplyQueueRefusedError(
    queue,
    tenant === null
      ? 'belongs to a tenant, or is not listed for callers without one; nothing was sent'
      : `is no queue of your tenant (such as t_${tenant}__replies), or not listed for it; nothing was sent`,
  )
}
