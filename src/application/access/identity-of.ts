import { type Identity, roles } from '../ports/authorization.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { textOf } from '../shared/input.ts'

/**
 * A checked copy of an identity. A missing tenant is refused: taken for null, it could reach what belongs to others.
 * So are `permissions` that are not a list, because without a list they would not narrow anything.
 * @throws InvalidInputError
 */
export const identityOf = (given: Identity): Identity => {
  const { subject, tenant, roles: named, permissions } = given ?? {}
  if (!Array.isArray(named)) throw new InvalidInputError('roles', 'must be a list')
  if (permissions !== undefined && !Array.isArray(permissions)) {
    throw new InvalidInputError('permissions', 'must be a list of texts like retry@payments, or be left out')
  }
  return {
    subject: textOf(subject, 'subject', 200),
    tenant: tenant === null ? null : textOf(tenant, 'tenant', 128),
    roles: roles.filter(role => named.includes(role)),
    ...(permissions === undefined ? {} : { permissions: permissions.filter(one => typeof one === 'string') }),
  }
}
