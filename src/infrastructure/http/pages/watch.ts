import { roleAuthorization, rolesFor } from '../../../application/access/roles.ts'
import { ForbiddenError } from '../../../application/shared/errors.ts'
import type { Identify } from '../identity/identity.ts'

/** Lets those pass who may see how the whole installation is. @throws UnauthenticatedError, ForbiddenError, UnavailableError */
export type Watch = (authorization: string | undefined) => Promise<void>

/** A token with one of the roles that may audit, and without a tenant: health and metrics are of all tenants. */
export const createWatch =
  (identify: Identify): Watch =>
  async authorization => {
    const identity = await identify(authorization)
    if (!roleAuthorization.allows(identity, 'audit'))
      throw new ForbiddenError(`this needs one of the roles ${rolesFor.audit.join(', ')}`)
    if (identity.tenant !== null)
      throw new ForbiddenError('this shows the whole installation: it needs a token without a tenant')
  }
