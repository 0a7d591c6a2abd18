import type { Config } from '../config.ts'
import { ConfigError } from '../config.ts'
import type { IdentityOptions } from './identity.ts'
import { localSecret } from './local-secret.ts'

/** The audience that waives the question. */
const ANY = '*'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/

/**
 * Who signs tokens, from the configuration. With nothing configured a secret of this service's own does, on this
 * machine only. @throws ConfigError when others could reach the service and nobody said who signs
 */
export const identityOptions = async ({ jwt, host, home }: Config): Promise<IdentityOptions> => {
  const claims = {
    ...(jwt.issuer === undefined ? {} : { issuer: jwt.issuer }),
    ...(jwt.audience === undefined || jwt.audience === ANY ? {} : { audience: jwt.audience }),
    ...(jwt.rolesClaim === undefined ? {} : { rolesClaim: jwt.rolesClaim }),
    ...(jwt.tenantClaim === undefined ? {} : { tenantClaim: jwt.tenantClaim }),
    ...(jwt.roleMap === undefined ? {} : { roleMap: jwt.roleMap }),
  }
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
