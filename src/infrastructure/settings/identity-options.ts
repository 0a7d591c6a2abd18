import type { IdentityOptions } from '../http/identity/identity.ts'
import { knownLocalSecret, localSecret } from '../http/identity/local-secret.ts'
import type { Config } from './config.ts'
import { ConfigError } from './config.ts'

/** The audience that waives the question. */
const ANY = '*'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/

/**
 * Who signs tokens, from the configuration. With nothing configured a secret of this service's own does, on this
 * machine only. @throws ConfigError when others could reach the service and nobody said who signs
 */
export const identityOptions = async ({ jwt, host, home }: Config): Promise<IdentityOptions> => {
  const claims = claimsOf(jwt)
  if (jwt.jwksUrl !== undefined) {
    if (jwt.audience === undefined) {
      throw new ConfigError(
        `COMMANDBUS_JWKS_URL signs tokens for others, too: set COMMANDBUS_JWT_AUDIENCE to what tokens for this service say, or to ${ANY} to take those for anybody`,
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

const claimsOf = (jwt: Config['jwt']): Omit<IdentityOptions, 'secret' | 'jwksUrl'> => ({
  ...(jwt.issuer === undefined ? {} : { issuer: jwt.issuer }),
  ...(jwt.audience === undefined || jwt.audience === ANY ? {} : { audience: jwt.audience }),
  ...(jwt.rolesClaim === undefined ? {} : { rolesClaim: jwt.rolesClaim }),
  ...(jwt.tenantClaim === undefined ? {} : { tenantClaim: jwt.tenantClaim }),
  ...(jwt.roleMap === undefined ? {} : { roleMap: jwt.roleMap }),
})

/** With what this machine can sign a token of its own: null where others sign, or nothing has been made for it yet. */
export const ownSigner = async ({
  jwt,
  home,
}: Config): Promise<(IdentityOptions & { readonly secret: string }) | null> => {
  if (jwt.jwksUrl !== undefined) return null
  const secret = jwt.secret ?? (await knownLocalSecret(home))
  return secret === null ? null : { ...claimsOf(jwt), secret }
}
