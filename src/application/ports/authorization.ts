export const roles = ['SENDER', 'OPERATOR', 'AUDITOR', 'ADMIN', 'CUSTOMER_ADMIN', 'BUBBLE_ADMIN', 'USER'] as const

/** What an identity may do; docs/security.md has the table of roles. */
export type Role = (typeof roles)[number]

/** Who makes a call. `tenant` null: it belongs to no single tenant, and may use all where the call does not say otherwise. */
export interface Principal {
  readonly subject: string
  readonly tenant: string | null
}

/** The caller, from the token. With a tenant, the caller sees and changes only that tenant's rows. */
export interface Identity extends Principal {
  readonly roles: readonly Role[]
  /**
   * Narrows what the roles allow to actions and domains, such as `retry@payments`, `edit@payments` and `read@*`: see
   * docs/security.md. Without it the roles decide; a text that is not known gives nothing.
   */
  readonly permissions?: readonly string[]
}

/**
 * What a call can reach: one tenant's things, those without a tenant (`NO_TENANT` of scope.ts), or all if it is missing.
 * Everything else counts as unknown.
 */
export interface Scope {
  readonly tenantId?: string
}

export const permissions = [
  'read',
  'send',
  'reschedule',
  'operate',
  'audit',
  'operations',
  'runs',
  'grant',
  'reveal',
] as const

/**
 * `read`: commands, lists, live events, figures. `send`: send, and cancel what is pending. `reschedule`: run what
 * nobody has begun earlier or later. `operate`: retry, cancel or
 * complete what is parked. `audit`: trails and history.
 * `operations`: the caller's own operations. `runs`: workflow runs, templates and credits. `grant`: gives credits.
 * `reveal`: sees the members that are declared sensitive.
 */
export type Permission = (typeof permissions)[number]

/** Decides what an identity may do, for the library and HTTP alike. */
export interface Authorization {
  readonly allows: (identity: Identity, permission: Permission) => boolean
}
