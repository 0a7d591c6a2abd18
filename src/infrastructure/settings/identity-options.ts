import { defined } from '../../application/shared/input.ts'
import type { IdentityOptions } from '../http/identity/identity.ts'
import { knownLocalSecret, localSecret } from '../http/identity/local-secret.ts'
import type { Config } from './config.ts'
import { ConfigError } from './config.ts'

/** Accepts tokens for any audience. */
const ANY = '*'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/

/**
 * Who signs tokens, from the configuration. Default, on this machine only: the service's own secret.
 * @throws ConfigError when other machines can reach the service and it is not configured who signs
 */
export const identityOptions = async ({ jwt, host, home }: Config): Promise<IdentityOptions> => {
  const claims = claimsOf(jwt)
  if (jwt.jwksUrl !== undefined) {
    if (jwt.audience === undefined) {
      throw new ConfigError(
        `COMMANDBUS_JWKS_URL signs tokens for others, too: set COMMANDBUS_JWT_AUDIENCE to the audience of tokens for this service, or to ${ANY} to accept any audience`,
      )
    }
    return { ...claims, jwksUrl: jwt.jwksUrl }
  }
  if (jwt.secret !== undefined) return { ...claims, secret: jwt.secret }
  if (!LOOPBACK.test(host)) {
    throw new ConfigError(
      `HOST ${host} can be reached from other machines: set COMMANDBUS_JWT_SECRET or COMMANDBUS_JWKS_URL first, to say who signs tokens`,
    )
  }
  return { ...claims, secret: await localSecret(home) }
}

const claimsOf = ({ issuer, audience, rolesClaim, tenantClaim, permissionsClaim, roleMap }: Config['jwt']) =>
  defined({
    issuer,
    audience: audience === ANY ? undefined : audience,
    rolesClaim,
    tenantClaim,
    permissionsClaim,
    roleMap,
  })

/** What this machine signs its own tokens with; null: others sign, or the secret is not made yet. */
export const ownSigner = async ({
  jwt,
  home,
}: Config): Promise<(IdentityOptions & { readonly secret: string }) | null> => {
  if (jwt.jwksUrl !== undefined) return null
  const secret = jwt.secret ?? (await knownLocalSecret(home))
  return secret === null ? null : { ...claimsOf(jwt), secret }
}
