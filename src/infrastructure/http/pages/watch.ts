import { roleAuthorization, rolesFor } from '../../../application/access/roles.ts'
import { isPermitted } from '../../../application/permits/permits.ts'
import { ForbiddenError } from '../../../application/shared/errors.ts'
import type { Identify } from '../identity/identity.ts'

/** Accepts callers who may see the health and metrics of the whole installation. @throws UnauthenticatedError, ForbiddenError, UnavailableError */
export type Watch = (authorization: string | undefined) => Promise<void>

/** Accepts a token that may audit and has no tenant: health and metrics cover all tenants. */
export const createWatch =
  (identify: Identify): Watch =>
  async authorization => {
    const identity = await identify(authorization)
    if (!roleAuthorization.allows(identity, 'audit'))
      throw new ForbiddenError(`this needs one of the roles ${rolesFor.audit.join(', ')}`)
    if (!isPermitted(identity.permissions, { name: 'audit', domain: null }))
      throw new ForbiddenError('this needs audit@* among the permissions of the token')
    if (identity.tenant !== null)
      throw new ForbiddenError('this shows the whole installation: it needs a token without a tenant')
  }
