import { SignJWT } from 'jose'
import type { Identity } from '../../../application/ports/authorization.ts'
import { claimsOf } from './claims.ts'
import type { IdentityOptions } from './identity.ts'

/** A signed token that this server's `secret` verifies, valid for `ttlSeconds` from now. */
export const signToken = async (
  { secret, issuer, audience, ...claims }: IdentityOptions & { readonly secret: string },
  { subject, ...rights }: Identity,
  ttlSeconds: number,
): Promise<string> => {
  const token = new SignJWT(claimsOf(rights, claims))
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + ttlSeconds)
  if (issuer !== undefined) token.setIssuer(issuer)
  if (audience !== undefined) token.setAudience(audience)
  return token.sign(new TextEncoder().encode(secret))
}
