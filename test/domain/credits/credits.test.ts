import { isRight } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import type { CreditsEvent, Pool } from '../../../src/domain/credits/events.ts'
import { credits } from '../../../src/domain/credits/index.ts'
import type { ChargeCredits, Grant, Refund } from '../../../src/domain/credits/intents.ts'
import { creditsStream, parseCreditsStream } from '../../../src/domain/credits/names.ts'
import { balanceIn } from '../../../src/domain/credits/state.ts'
import { fold } from '../../../src/domain/decider.ts'
import { scenarios } from '../../support/lives/decider.ts'
import { at, split } from '../../support/lives/workflow-life.ts'

const given = scenarios(credits)
const by = { at, actor: 'admin' }
const december = '2026-12-01T00:00:00.000Z'

const grant = (pool: Pool, amount: number, more: Partial<Grant> = {}): Grant => ({
  ...by,
  type: 'Grant',
  grantId: `g-${pool}`,
  pool,
  amount,
  reason: 'plan',
  ...more,
})
const charge = (amount: number, more: Partial<ChargeCredits> = {}): ChargeCredits => ({
  ...by,
  type: 'Charge',
  chargeId: 'c1',
  runId: 'r1',
  amount,
  ...more,
})
const refund = (amount: number, more: Partial<Refund> = {}): Refund => ({
  ...by,
  type: 'Refund',
  chargeId: 'c1',
  amount,
  reason: 'failed',
  ...more,
})

/** What these intents leave in the log. */
const historyOf = (...intents: readonly (Grant | ChargeCredits | Refund)[]): readonly CreditsEvent[] => {
  const events: CreditsEvent[] = []
  for (const intent of intents) {
    const decided = credits.decide(intent, fold(credits, events))
    if (!isRight(decided)) throw new Error(`refused: ${decided.left.type}`)
    events.push(...decided.right)
  }
  return events
}
const funded = historyOf(grant('monthly', 10), grant('purchased', 5))

describe('a grant', () => {
  test('with the id of another grant is refused: neither its pool nor its amount can change', () => {
    const differs = { type: 'GrantDiffers', grantId: 'g-monthly', pool: 'monthly', amount: 10 } as const
    given(funded).when(grant('monthly', 11)).then(differs)
    given(funded)
      .when(grant('purchased', 10, { grantId: 'g-monthly' }))
      .then(differs)
    given(funded)
      .when(grant('monthly', 10, { reason: 'the same again' }))
      .then([])
  })
  test('adds to its pool, once', () => {
    given([])
      .when(grant('monthly', 10))
      .then([
        {
          ...by,
          type: 'CreditsGranted',
          grantId: 'g-monthly',
          pool: 'monthly',
          amount: 10,
          reason: 'plan',
          left: split(10, 0),
        },
      ])
      .again()
  })
  test('of zero, a negative amount or a fraction is refused', () => {
    for (const amount of [0, -1, 1.5, Number.NaN])
      given([]).when(grant('monthly', amount)).then({ type: 'NotAnAmount', amount })
  })
  test('above the exact range of numbers is refused', () => {
    given(historyOf(grant('purchased', Number.MAX_SAFE_INTEGER)))
      .when(grant('monthly', 1))
      .then({ type: 'TooMuch' })
  })
})

describe('a charge', () => {
  test('C5: takes from the month first, then from what was purchased, once', () => {
    given(funded)
      .when(charge(12))
      .then([{ ...by, type: 'CreditsCharged', chargeId: 'c1', runId: 'r1', taken: split(10, 2), left: split(0, 3) }])
      .again()
  })
  test('C5: may take all there is', () => {
    expect(historyOf(grant('monthly', 10), grant('purchased', 5), charge(15)).at(-1)).toMatchObject({
      left: split(0, 0),
    })
  })
  test('C5: of one credit more than the balance takes nothing', () => {
    given(funded).when(charge(16)).then({ type: 'InsufficientCredits', needed: 16, available: 15 })
  })
  test('cannot spend credits of another month', () => {
    given(funded)
      .when(charge(6, { at: december }))
      .then({ type: 'InsufficientCredits', needed: 6, available: 5 })
  })
})

describe('a refund', () => {
  const charged = [...funded, ...historyOf(grant('monthly', 10), grant('purchased', 5), charge(12)).slice(2)]
  test('C14: returns both parts to the pools that they came from, once', () => {
    given(charged)
      .when(refund(12))
      .then([
        {
          ...by,
          type: 'CreditsRefunded',
          chargeId: 'c1',
          runId: 'r1',
          returned: split(10, 2),
          reason: 'failed',
          left: split(10, 5),
        },
      ])
      .again()
  })
  test('C14: after the end of the month returns the monthly part to its old month, where it cannot be spent any more', () => {
    const events = [...charged]
    given(events)
      .when(refund(12, { at: december }))
      .then([
        {
          type: 'CreditsRefunded',
          at: december,
          actor: 'admin',
          chargeId: 'c1',
          runId: 'r1',
          returned: split(10, 2),
          reason: 'failed',
          left: split(10, 5),
        },
      ])
    const decided = credits.decide(refund(12, { at: december }), fold(credits, events))
    const account = fold(credits, [...events, ...(isRight(decided) ? decided.right : [])])
    expect(balanceIn(account, '2026-12')).toEqual(split(0, 5, '2026-12'))
    expect(balanceIn(account, '2026-11')).toEqual(split(10, 5))
  })
  test('of a part returns purchased credits before monthly ones, and the rest is no longer owed', () => {
    given(charged)
      .when(refund(3))
      .then([
        {
          ...by,
          type: 'CreditsRefunded',
          chargeId: 'c1',
          runId: 'r1',
          returned: split(1, 2),
          reason: 'failed',
          left: split(1, 5),
        },
      ])
      .again()
  })
  test('above the exact range of numbers is refused', () => {
    const full = grant('purchased', Number.MAX_SAFE_INTEGER)
    given(historyOf(grant('monthly', 10), charge(10), full))
      .when(refund(10))
      .then({ type: 'TooMuch' })
  })
  test('of an unknown charge is refused', () => {
    given(funded).when(refund(1)).then({ type: 'UnknownCharge', chargeId: 'c1' })
  })
})

test('a ledger has a stream of its own for each tenant, whatever its name', () => {
  for (const tenant of ['t1', 'a-b', 'Ärger & Söhne']) expect(parseCreditsStream(creditsStream(tenant))).toBe(tenant)
  expect(parseCreditsStream('command-payments-x')).toBeNull()
  expect(parseCreditsStream('credits-')).toBeNull()
})
