import type { Authorization, Permission, Role } from '../ports/authorization.ts'

/** Which roles carry a permission. A USER without other roles reads operations, not commands. */
export const rolesFor: Readonly<Record<Permission, readonly Role[]>> = {
  read: ['SENDER', 'OPERATOR', 'AUDITOR', 'ADMIN', 'CUSTOMER_ADMIN', 'BUBBLE_ADMIN'],
  send: ['SENDER', 'ADMIN'],
  reschedule: ['SENDER', 'OPERATOR', 'ADMIN'],
  operate: ['OPERATOR', 'ADMIN'],
  audit: ['AUDITOR', 'OPERATOR', 'ADMIN'],
  operations: ['USER', 'ADMIN'],
  runs: ['CUSTOMER_ADMIN', 'BUBBLE_ADMIN'],
  grant: ['BUBBLE_ADMIN'],
  reveal: ['ADMIN'],
}

export const roleAuthorization: Authorization = {
  allows: (identity, permission) => identity.roles.some(role => rolesFor[permission].includes(role)),
}
