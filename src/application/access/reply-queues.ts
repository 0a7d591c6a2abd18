import { InvalidInputError } from '../shared/errors.ts'

/** Whether a caller of this tenant (null: without a tenant) may name a queue for replies. */
export type MayReplyTo = (queue: string, tenant: string | null) => boolean

const TENANT = '{tenant}'
const OF_ALL = /^[a-z0-9_*-]+$/
/** After the tenant the pattern ends or has `__`, so that no queue fits two tenants. */
const OF_A_TENANT = /^[a-z0-9_-]*\{tenant\}(__[a-z0-9_*-]+)?$/

/** See `replyQueuesOf`. */
export const isReplyQueuePattern = (text: string): boolean => OF_ALL.test(text) || OF_A_TENANT.test(text)

export const replyQueueForm =
  "names of queues, with '*' for any part of one, or with {tenant} at the end or before '__'"

/**
 * Patterns of queues that callers may name in `replyTo`. `*` stands for any part of a name, `{tenant}` for the caller's
 * tenant; callers without a tenant never match such a pattern. Default: `t_{tenant}__*` for a tenant; for callers without
 * one, every name that does not begin with `t_`. @throws InvalidInputError
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

/** In a tenant's pattern `*` matches no `__`: `a__b__x` belongs to tenant `a__b`, not to `a`. */
const fits = (pattern: string, queue: string, tenant: string | null): boolean => {
  const ofTenant = pattern.includes(TENANT)
  if (ofTenant && tenant === null) return false
  const part = ofTenant ? '[a-z0-9]([_-]?[a-z0-9])*' : '[a-z0-9_-]*'
  const expression = pattern.split('*').map(text => literal(text.replace(TENANT, () => tenant ?? '')))
  return new RegExp(`^${expression.join(part)}$`).test(queue)
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
