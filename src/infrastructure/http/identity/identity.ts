import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Identity } from '../../../application/ports/authorization.ts'
import { CommandBusError, UnavailableError } from '../../../application/shared/errors.ts'
import { defined } from '../../../application/shared/input.ts'
import { type ClaimOptions, claimAt, namesIn, PERMISSIONS_CLAIM, ROLES_CLAIM, rolesOf, TENANT_CLAIM } from './claims.ts'

/** The caller is not known: no token, or one that is not valid. */
export class UnauthenticatedError extends CommandBusError {
  override readonly name = 'UnauthenticatedError'
  constructor(message: string) {
    super('UNAUTHENTICATED', message)
  }
}

export interface IdentityOptions extends ClaimOptions {
  /** Signs and verifies HS256. Used when there is no `jwksUrl`. */
  readonly secret?: string
  /** Public keys of an identity provider; they are fetched again when a token names an unknown one. */
  readonly jwksUrl?: string
  readonly issuer?: string
  readonly audience?: string
}

/** Clocks of issuer and server may differ by this much. */
const CLOCK_TOLERANCE_S = 5
const JWKS_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

/** The caller, and how long the token is valid. */
export interface Identified extends Identity {
  /** Milliseconds since 1970, including the clock tolerance. */
  readonly validUntil: number
}

export type Identify = (authorization: string | undefined) => Promise<Identified>

/** Identifies the caller by an `Authorization` header. @throws UnauthenticatedError, UnavailableError (keys cannot be fetched) */
export const createIdentify = (options: IdentityOptions): Identify => {
  const common = {
    clockTolerance: CLOCK_TOLERANCE_S,
    requiredClaims: ['sub', 'exp'],
    ...defined({ issuer: options.issuer, audience: options.audience }),
  }
  const verify = verifierOf(options, common)
  return async authorization => {
    const [, token] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]*)$/i.exec(authorization?.trim() ?? '') ?? []
    if (token === undefined) {
      throw new UnauthenticatedError('send a token as `Authorization: Bearer <token>`; `commandbus token` makes one')
    }
    try {
      return identityOf(await verify(token), options)
    } catch (error) {
      throw error instanceof CommandBusError ? error : refusalOf(error)
    }
  }
}

type Common = Parameters<typeof jwtVerify>[2]

const verifierOf = ({ secret, jwksUrl }: IdentityOptions, common: Common) => {
  if (jwksUrl !== undefined) {
    const keys = createRemoteJWKSet(new URL(jwksUrl), { cooldownDuration: 1_000, timeoutDuration: 5_000 })
    return async (token: string) => (await jwtVerify(token, keys, { ...common, algorithms: JWKS_ALGORITHMS })).payload
  }
  if (secret === undefined) throw new Error('neither a secret nor a JWKS address says who signs tokens')
  const key = new TextEncoder().encode(secret)
  return async (token: string) => (await jwtVerify(token, key, { ...common, algorithms: ['HS256'] })).payload
}

const MAX_CLAIM = 128

const identityOf = (claims: JWTPayload, options: ClaimOptions): Identified => {
  const { sub, exp = 0 } = claims
  const { tenantClaim = TENANT_CLAIM, rolesClaim = ROLES_CLAIM, permissionsClaim = PERMISSIONS_CLAIM } = options
  const tenant = claimAt(claims, tenantClaim)
  if (!isName(sub)) throw new UnauthenticatedError(`the token's sub must be a text of 1 to ${MAX_CLAIM} characters`)
  if (tenant !== undefined && tenant !== null && !isName(tenant)) {
    throw new UnauthenticatedError(
      `the token's tenant, at '${tenantClaim}', must be a text of 1 to ${MAX_CLAIM} characters`,
    )
  }
  const named = namesIn(claimAt(claims, rolesClaim))
  if (named === null) {
    throw new UnauthenticatedError(
      `the token's roles must be a list or a text at '${rolesClaim}': COMMANDBUS_JWT_ROLES_CLAIM says where an issuer puts them`,
    )
  }
  const claimed = claimAt(claims, permissionsClaim)
  const permissions = claimed === undefined ? undefined : namesIn(claimed)
  if (permissions === null) {
    throw new UnauthenticatedError(
      `the token's permissions, at '${permissionsClaim}', must be a list or a text, as in ["retry@payments", "read@*"], or be left out`,
    )
  }
  return {
    subject: sub,
    tenant: (tenant as string | undefined) ?? null,
    roles: rolesOf(named, options.roleMap),
    ...(permissions === undefined ? {} : { permissions: permissions.filter(isText) }),
    validUntil: (exp + CLOCK_TOLERANCE_S) * 1000,
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'

const isName = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.trim() !== '' &&
  value.length <= MAX_CLAIM &&
  value.isWellFormed() &&
  !value.includes('\u0000')

const refusalOf = (error: unknown): Error => {
  if (error instanceof errors.JWTExpired) return new UnauthenticatedError('the token has expired: get a new one')
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new UnauthenticatedError(`the token's claim '${error.claim}' is missing or not what this server requires`)
  }
  if (error instanceof errors.JWKSTimeout || isFetchFailure(error)) {
    return new UnavailableError('the keys that tokens are signed with cannot be fetched now; try again', {
      cause: error,
    })
  }
  return new UnauthenticatedError('the token is not valid here: its signature, algorithm or form is wrong')
}

/** No response, an error status, or a response that is not a key set. */
const isFetchFailure = (error: unknown): boolean =>
  error instanceof TypeError ||
  error instanceof errors.JWKSInvalid ||
  (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC')
