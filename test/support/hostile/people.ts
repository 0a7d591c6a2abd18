import { randomBytes } from 'node:crypto'
import type { Identity, Role } from '../../../src/index.ts'
import { signToken } from '../../../src/infrastructure/http/identity/token.ts'
import { SECRET } from '../http.ts'

/** Part of everything that honest users send: no answer to others may contain it. */
export const marker = `kept-from-others-${randomBytes(6).toString('hex')}`

const person = (subject: string, tenant: string | null, ...roles: readonly Role[]): Identity => ({
  subject,
  tenant,
  roles,
})

/** Their names contain the marker, so others may not see them either. */
export const honest = {
  alice: person(`alice-${marker}`, 'b', 'SENDER'),
  bob: person(`bob-${marker}`, 'b', 'OPERATOR', 'AUDITOR'),
  carol: person(`carol-${marker}`, 'b', 'CUSTOMER_ADMIN'),
  dave: person(`dave-${marker}`, 'b', 'USER'),
  erin: person(`erin-${marker}`, null, 'SENDER'),
  /** Sells credits. */
  grace: person(`grace-${marker}`, null, 'BUBBLE_ADMIN'),
} as const

export const hostile = {
  /** May send, for a tenant of his own. */
  mallory: person('mallory', 'm', 'SENDER'),
  /** Runs the commands of tenant a. */
  oscar: person('oscar', 'a', 'SENDER', 'OPERATOR', 'AUDITOR'),
  /** A customer, and a user of operations. */
  trudy: person('trudy', 'a', 'CUSTOMER_ADMIN', 'USER'),
} as const

export type Honest = keyof typeof honest
export type Hostile = keyof typeof hostile

export const tokenOf = (identity: Identity, seconds: number, secret = SECRET): Promise<string> =>
  signToken({ secret }, identity, seconds)

export const tokensOf = async <Name extends string>(
  people: Readonly<Record<Name, Identity>>,
  seconds: number,
): Promise<Readonly<Record<Name, string>>> => {
  const tokens = Object.entries<Identity>(people).map(async ([name, one]) => [name, await tokenOf(one, seconds)])
  return Object.fromEntries(await Promise.all(tokens))
}
