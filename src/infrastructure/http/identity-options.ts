import type { Config } from '../config.ts'
import { ConfigError } from '../config.ts'
import type { IdentityOptions } from './identity.ts'
import { localSecret } from './local-secret.ts'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/

/**
 * Who signs tokens, from the configuration. With nothing configured a secret of this service's own does, on this
 * machine only. @throws ConfigError when others could reach the service and nobody said who signs
 */
export const identityOptions = async ({ jwt, host, home }: Config): Promise<IdentityOptions> => {
  const claims = {
    ...(jwt.issuer === undefined ? {} : { issuer: jwt.issuer }),
    ...(jwt.audience === undefined ? {} : { audience: jwt.audience }),
  }
  if (jwt.jwksUrl !== undefined) return { ...claims, jwksUrl: jwt.jwksUrl }
  if (jwt.secret !== undefined) return { ...claims, secret: jwt.secret }
  if (!LOOPBACK.test(host)) {
    throw new ConfigError(
      `HOST ${host} can be reached from other machines: set COMMANDBUS_JWT_SECRET or COMMANDBUS_JWKS_URL first, to say who signs tokens`,
    )
  }
  return { ...claims, secret: await localSecret(home) }
}
