import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Identity } from '../../../src/application/ports/authorization.ts'
import { createIdentify } from '../../../src/infrastructure/http/identity/identity.ts'
import { signToken } from '../../../src/infrastructure/http/identity/token.ts'
import { readConfig } from '../../../src/infrastructure/settings/config.ts'
import { identityOptions } from '../../../src/infrastructure/settings/identity-options.ts'
import { SECRET } from '../../support/http.ts'

const optionsOf = (env: Record<string, string>) =>
  identityOptions(readConfig({ COMMANDBUS_JWT_SECRET: SECRET, HOST: '127.0.0.1', ...env }))

/** The identity of a token with these claims, for a service with these variables. */
const whoIs = async (claims: object, env: Record<string, string>): Promise<Identity> => {
  const token = await new SignJWT({ sub: 'jane', exp: Math.floor(Date.now() / 1000) + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET))
  return createIdentify(await optionsOf(env))(`Bearer ${token}`)
}

const providers: readonly (readonly [string, object, Record<string, string>])[] = [
  [
    'Keycloak',
    { realm_access: { roles: ['offline_access', 'OPERATOR'] }, organization: { id: 't1' } },
    { COMMANDBUS_JWT_ROLES_CLAIM: 'realm_access.roles', COMMANDBUS_JWT_TENANT_CLAIM: 'organization.id' },
  ],
  [
    'Auth0',
    { 'https://bus.example.com/roles': ['OPERATOR'], org_id: 't1' },
    { COMMANDBUS_JWT_ROLES_CLAIM: 'https://bus.example.com/roles', COMMANDBUS_JWT_TENANT_CLAIM: 'org_id' },
  ],
  [
    'Cognito',
    { 'cognito:groups': ['bus-operators', 'others'], 'custom:tenant': 't1' },
    {
      COMMANDBUS_JWT_ROLES_CLAIM: 'cognito:groups',
      COMMANDBUS_JWT_TENANT_CLAIM: 'custom:tenant',
      COMMANDBUS_JWT_ROLE_MAP: 'bus-operators=OPERATOR, bus-auditors=AUDITOR',
    },
  ],
  [
    'Entra',
    { roles: ['Bus.Operate'], tid: 't1' },
    { COMMANDBUS_JWT_TENANT_CLAIM: 'tid', COMMANDBUS_JWT_ROLE_MAP: 'Bus.Operate=OPERATOR' },
  ],
  [
    'a server that gives scopes',
    { scope: 'openid bus:operate', tenant: 't1' },
    { COMMANDBUS_JWT_ROLES_CLAIM: 'scope', COMMANDBUS_JWT_ROLE_MAP: 'bus:operate=OPERATOR' },
  ],
  ['a text with commas', { roles: 'OPERATOR, other', tenant: 't1' }, {}],
]

test.each(providers)('G13: roles and tenant are found where %s puts them', async (_, claims, env) => {
  expect(await whoIs(claims, env)).toMatchObject({ subject: 'jane', tenant: 't1', roles: ['OPERATOR'] })
})

describe('G13: nobody gets more rights than the configuration gives', () => {
  const map = { COMMANDBUS_JWT_ROLE_MAP: 'ops=OPERATOR,ops=AUDITOR' }

  test("with a map of roles only its names count, also for the bus's own role names", async () => {
    expect((await whoIs({ roles: ['ADMIN', 'ops', 'OPERATOR'] }, map)).roles).toEqual(['OPERATOR', 'AUDITOR'])
  })

  test("names of JavaScript's object members are not claims", async () => {
    for (const path of ['constructor.name', '__proto__.roles', 'roles.length', 'roles.0']) {
      await expect(whoIs({ roles: ['ADMIN'] }, { COMMANDBUS_JWT_ROLES_CLAIM: path })).rejects.toThrow(
        'COMMANDBUS_JWT_ROLES_CLAIM',
      )
    }
  })

  test('the refusal of a token without the claim names the claim', async () => {
    await expect(whoIs({}, { COMMANDBUS_JWT_ROLES_CLAIM: 'realm_access.roles' })).rejects.toThrow(/realm_access\.roles/)
    await expect(whoIs({ roles: [], tid: 7 }, { COMMANDBUS_JWT_TENANT_CLAIM: 'tid' })).rejects.toThrow(/'tid'/)
  })

  test.each(['ops', 'ops=', '=ADMIN', 'ops=ROOT', 'ops=ADMIN,', 'ops:ADMIN'])('an invalid map is refused: %s', text => {
    expect(() => readConfig({ COMMANDBUS_JWT_ROLE_MAP: text })).toThrow(
      /COMMANDBUS_JWT_ROLE_MAP.*bus-operators=OPERATOR/,
    )
  })

  test('a token that the bus makes uses the same claims, and gives no more rights than requested', async () => {
    const options = await optionsOf({
      ...map,
      COMMANDBUS_JWT_ROLES_CLAIM: 'realm_access.roles',
      COMMANDBUS_JWT_TENANT_CLAIM: 'tid',
    })
    const sign = (...roles: Identity['roles']) =>
      signToken({ ...options, secret: SECRET }, { subject: 'jane', tenant: 't1', roles }, 60)
    const token = await sign('OPERATOR', 'AUDITOR')
    expect(await createIdentify(options)(`Bearer ${token}`)).toMatchObject({
      tenant: 't1',
      roles: ['OPERATOR', 'AUDITOR'],
    })
    await expect(sign('OPERATOR')).rejects.toThrow('COMMANDBUS_JWT_ROLE_MAP has no name that gives OPERATOR')
  })
})

test.each([
  ['a text', { organization: 't1' }],
  ['a list', { organization: ['t1'] }],
  ['a list of objects', { organization: [{ id: 't1' }] }],
  ['a list at its end', { organization: { id: ['t1'] } }],
  ['a number', { organization: 7 }],
  ['an empty text', { organization: { id: '' } }],
  ['an object', { organization: { id: {} } }],
  ['false', { organization: false }],
])('G13: an unreadable tenant claim does not mean a token without a tenant: %s', async (_, claims) => {
  const env = { COMMANDBUS_JWT_TENANT_CLAIM: 'organization.id' }
  await expect(whoIs({ roles: ['ADMIN'], ...claims }, env)).rejects.toThrow("the token's tenant, at 'organization.id'")
})

test.each([
  ['nothing', {}],
  ['null', { organization: null }],
  ['an object without it', { organization: { name: 'none' } }],
])('G13: a token has no tenant when the claim has %s', async (_, claims) => {
  const env = { COMMANDBUS_JWT_TENANT_CLAIM: 'organization.id' }
  expect((await whoIs({ roles: ['SENDER'], ...claims }, env)).tenant).toBe(null)
})

describe('O9: the claim of permissions', () => {
  test('is read where the configuration says, as a list or a text', async () => {
    const permissions = ['retry@payments', 'read@*']
    expect(await whoIs({ roles: [], permissions }, {})).toMatchObject({ permissions })
    expect(await whoIs({ roles: [], permissions: [7, ...permissions, {}] }, {})).toMatchObject({ permissions })
    const env = { COMMANDBUS_JWT_PERMISSIONS_CLAIM: 'bus.may' }
    expect(await whoIs({ roles: [], bus: { may: 'retry@payments read@*' } }, env)).toMatchObject({ permissions })
    expect(await whoIs({ roles: [], permissions }, env)).not.toHaveProperty('permissions')
  })

  test.each([null, 7, true, {}])('a claim of another kind refuses the token: %j', async permissions => {
    await expect(whoIs({ roles: [], permissions }, {})).rejects.toThrow(/permissions, at 'permissions', must be a list/)
  })

  test('is in tokens that the bus makes', async () => {
    const options = await optionsOf({ COMMANDBUS_JWT_PERMISSIONS_CLAIM: 'may' })
    const permissions = ['retry@payments']
    const jane = { subject: 'jane', tenant: null, roles: ['OPERATOR'], permissions } as const
    const token = await signToken({ ...options, secret: SECRET }, jane, 60)
    expect(await createIdentify(options)(`Bearer ${token}`)).toMatchObject({ permissions })
  })
})
