import { type ActionName, actionNames } from '../../domain/command/operator-actions.ts'
import { type Permission, permissions } from '../ports/authorization.ts'

/**
 * What a permit can name: a permission of roles, or what an operator does by its own name. `edit` is needed besides
 * `retry` for a retry with another payload.
 */
export type PermitName = Permission | ActionName | 'edit'

export const permitNames: readonly PermitName[] = [...permissions, ...actionNames, 'edit']

export const EVERY_DOMAIN = '*'

/** What a call needs. `domain` null: the call reaches all domains. */
export interface Need {
  readonly name: PermitName
  readonly domain: string | null
  /** The domain is that of something that the call names; null: there is no such thing. */
  readonly isLookedUp?: true
}

/**
 * Permits are texts such as `retry@payments` or `read@*`. They narrow what roles allow; without a list, roles alone
 * decide. A text that names nothing known fits no need, so it gives nothing.
 */
export type Permits = readonly string[] | undefined

export const permitFor = ({ name, domain }: Need): string => `${name}@${domain ?? EVERY_DOMAIN}`

export const isPermitted = (permits: Permits, { name, domain }: Need): boolean =>
  permits === undefined ||
  permits.includes(permitFor({ name, domain })) ||
  permits.includes(permitFor({ name, domain: null }))

/** Whether some call with this permission, or action, can succeed in some domain. */
export const isPermittedSomewhere = (permits: Permits, name: PermitName): boolean => {
  if (permits === undefined) return true
  const names: readonly string[] = name === 'operate' ? [name, ...actionNames] : [name]
  return permits.some(permit => names.some(one => permit.startsWith(`${one}@`)))
}

/** The domains that permits name for something, `*` for all; empty: none. */
export const domainsOf = (permits: readonly string[], name: PermitName): readonly string[] => {
  const domains = permits.filter(one => one.startsWith(`${name}@`)).map(one => one.slice(name.length + 1))
  return domains.includes(EVERY_DOMAIN) ? [EVERY_DOMAIN] : [...new Set(domains)].filter(domain => domain !== '')
}

/** The permission of roles that stands behind a name. */
export const permissionBehind = (name: PermitName): Permission =>
  permissions.find(permission => permission === name) ?? 'operate'
