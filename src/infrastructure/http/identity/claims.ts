import type { JWTPayload } from 'jose'
import { type Identity, type Role, roles } from '../../../application/ports/authorization.ts'
import { CommandBusError } from '../../../application/shared/errors.ts'

/** Role names of an issuer, and the roles that each stands for here. */
export type RoleMap = ReadonlyMap<string, readonly Role[]>

/** Where a token holds the roles and the tenant of its bearer. */
export interface ClaimOptions {
  /** The name of a claim, or a path with dots, such as `realm_access.roles`. Default `roles`. */
  readonly rolesClaim?: string
  /** As `rolesClaim`. Default `tenant`. */
  readonly tenantClaim?: string
  /** As `rolesClaim`. Default `permissions`; a token without it is not narrowed. */
  readonly permissionsClaim?: string
  /** Default: the issuer uses our role names. With a map, names that are not in it are ignored. */
  readonly roleMap?: RoleMap
}

export const ROLES_CLAIM = 'roles'
export const TENANT_CLAIM = 'tenant'
export const PERMISSIONS_CLAIM = 'permissions'

/** A claim whose path leads through a text, a list or the like: neither a value nor absent. */
const UNREADABLE = Symbol('unreadable')

/**
 * The claim at `path`. A claim of exactly this name comes first, because issuers name claims by URLs, which have dots.
 * Undefined: there is none. `UNREADABLE`, which is not valid as a tenant or roles: the path does not fit the claims.
 */
export const claimAt = (claims: JWTPayload, path: string): unknown =>
  Object.hasOwn(claims, path) ? claims[path] : path.split('.').reduce<unknown>((at, name) => memberOf(at, name), claims)

const memberOf = (at: unknown, name: string): unknown => {
  if (isObject(at)) return Object.hasOwn(at, name) ? at[name] : undefined
  return at === undefined || at === null ? undefined : UNREADABLE
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A list, or a text with spaces or commas between names, as scopes are written; null: neither. */
export const namesIn = (claim: unknown): readonly unknown[] | null =>
  Array.isArray(claim) ? claim : typeof claim === 'string' ? claim.split(/[\s,]+/) : null

/** Roles for other systems in the same token are ignored. */
export const rolesOf = (names: readonly unknown[], map: RoleMap | undefined): readonly Role[] =>
  map === undefined
    ? names.filter(isRole)
    : [...new Set(names.flatMap(name => (typeof name === 'string' ? (map.get(name) ?? []) : [])))]

const isRole = (value: unknown): value is Role => roles.some(role => role === value)

/** Parses `theirs=OURS` pairs, joined by commas; a name may occur in several. Undefined: the text is not a valid map. */
export const roleMapOf = (text: string): RoleMap | undefined => {
  const map = new Map<string, readonly Role[]>()
  for (const pair of text.split(',')) {
    const at = pair.lastIndexOf('=')
    const [name, role] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
    if (at < 1 || name === '' || !isRole(role)) return undefined
    map.set(name, [...(map.get(name) ?? []), role])
  }
  return map
}

/** The claims of a token that we sign, in the form that the same options read. @throws CommandBusError when no name stands for a role */
export const claimsOf = (
  { tenant, roles: given, permissions }: Pick<Identity, 'tenant' | 'roles' | 'permissions'>,
  { rolesClaim = ROLES_CLAIM, tenantClaim = TENANT_CLAIM, permissionsClaim = PERMISSIONS_CLAIM, roleMap }: ClaimOptions,
): JWTPayload => ({
  [rolesClaim]: roleMap === undefined ? [...given] : given.map(role => nameOf(role, given, roleMap)),
  ...(tenant === null ? {} : { [tenantClaim]: tenant }),
  ...(permissions === undefined ? {} : { [permissionsClaim]: [...permissions] }),
})

/** A name that gives `role`, and no role that is not in `given`. */
const nameOf = (role: Role, given: readonly Role[], map: RoleMap): string => {
  for (const [name, its] of map) if (its.includes(role) && its.every(one => given.includes(one))) return name
  throw new CommandBusError(
    'INVALID_CONFIGURATION',
    `COMMANDBUS_JWT_ROLE_MAP has no name that gives ${role} and nothing else: add one, or ask for all roles that it gives`,
  )
}
