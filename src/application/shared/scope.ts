import type { Identity, Role, Scope } from '../ports/authorization.ts'
import { textOf } from './input.ts'

/** Stands for 'no tenant'; no tenant has this name. */
export const NO_TENANT = ''

/** A token without a tenant reaches what has no tenant, or everything with the role `across`. */
export const scopeOf = ({ tenant, roles }: Identity, across: Role): Scope =>
  tenant !== null ? { tenantId: tenant } : roles.includes(across) ? {} : { tenantId: NO_TENANT }

export const isWithin = ({ tenantId }: Scope, owner: string | null): boolean =>
  tenantId === undefined || tenantId === (owner ?? NO_TENANT)

/** The tenant that a scope names. @throws InvalidInputError */
export const scopedTenantOf = (value: unknown): string => (value === NO_TENANT ? value : textOf(value, 'tenantId', 128))
