export const roles = ['SENDER', 'OPERATOR', 'AUDITOR', 'ADMIN', 'CUSTOMER_ADMIN', 'BUBBLE_ADMIN', 'USER'] as const

export type Role = (typeof roles)[number]

/** Who asks, as the token says. A caller with a tenant sees and touches that tenant's rows only. */
export interface Identity {
  readonly subject: string
  readonly tenant: string | null
  readonly roles: readonly Role[]
}

/**
 * Whose things are reached: one tenant's, those of no tenant (`NO_TENANT` of scope.ts), or all when it is left out.
 * Others are as good as unknown.
 */
export interface Scope {
  readonly tenantId?: string
}

export const permissions = ['read', 'send', 'operate', 'audit', 'operations', 'runs', 'grant'] as const

/**
 * `read`: commands, lists, live events, figures. `send`: send, and cancel what is pending. `operate`: retry, cancel or
 * complete what is parked. `audit`: trails and history.
 * `operations`: the caller's own operations. `runs`: workflow runs, templates and credits. `grant`: gives credits.
 */
export type Permission = (typeof permissions)[number]

/** Decides what an identity may do; asked by the application, for every entrance alike. */
export interface Authorization {
  readonly allows: (identity: Identity, permission: Permission) => boolean
}
