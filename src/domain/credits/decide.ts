import { type Either, left, right } from 'fp-ts/lib/Either.js'
import { type CreditsEvent, monthOf, type Split } from './events.ts'
import type { ChargeCredits, CreditsIntent, Grant, Refund } from './intents.ts'
import { find } from './ledger-index.ts'
import type { CreditsRejection } from './rejections.ts'
import { balanceIn, type CreditsState } from './state.ts'

type Decision = Either<CreditsRejection, readonly CreditsEvent[]>

const nothing: Decision = right([])

/** Which events an intent causes. The same grant, charge or refund again causes none. */
export const decide = (intent: CreditsIntent, state: CreditsState): Decision => {
  if (!Number.isSafeInteger(intent.amount) || intent.amount < 1) {
    return left({ type: 'NotAnAmount', amount: intent.amount })
  }
  switch (intent.type) {
    case 'Grant':
      return grant(intent, state)
    case 'Charge':
      return charge(intent, state)
    case 'Refund':
      return refund(intent, state)
  }
}

const plus = (balance: Split, change: Split, sign: 1 | -1): Split => ({
  monthly: balance.monthly + sign * change.monthly,
  purchased: balance.purchased + sign * change.purchased,
  month: balance.month,
})

const grant = ({ at, actor, grantId, pool, amount, reason }: Grant, state: CreditsState): Decision => {
  const before = find(state.grants, grantId)
  if (before !== undefined) {
    return before.pool === pool && before.amount === amount
      ? nothing
      : left({ type: 'GrantDiffers', grantId, ...before })
  }
  const month = monthOf(at)
  const given = { monthly: pool === 'monthly' ? amount : 0, purchased: pool === 'purchased' ? amount : 0, month }
  const after = plus(balanceIn(state, month), given, 1)
  if (!Number.isSafeInteger(after.monthly + after.purchased)) return left({ type: 'TooMuch' })
  return right([{ type: 'CreditsGranted', at, actor, grantId, pool, amount, reason, left: after }])
}

const charge = ({ at, actor, chargeId, runId, amount }: ChargeCredits, state: CreditsState): Decision => {
  if (find(state.charges, chargeId) !== undefined) return nothing
  const month = monthOf(at)
  const balance = balanceIn(state, month)
  const available = balance.monthly + balance.purchased
  if (amount > available) return left({ type: 'InsufficientCredits', needed: amount, available })
  const monthly = Math.min(amount, balance.monthly)
  const taken = { monthly, purchased: amount - monthly, month }
  return right([{ type: 'CreditsCharged', at, actor, chargeId, runId, taken, left: plus(balance, taken, -1) }])
}

const refund = ({ at, actor, chargeId, amount, reason }: Refund, state: CreditsState): Decision => {
  const charged = find(state.charges, chargeId)
  if (charged === undefined) return left({ type: 'UnknownCharge', chargeId })
  if (charged.refunded) return nothing
  const { taken, runId } = charged
  const returned = partOf(taken, amount)
  const after = plus(balanceIn(state, taken.month), returned, 1)
  if (!Number.isSafeInteger(after.monthly + after.purchased)) return left({ type: 'TooMuch' })
  return right([{ type: 'CreditsRefunded', at, actor, chargeId, runId, returned, reason, left: after }])
}

/** A part of a charge: purchased credits before monthly ones, and never more than was taken. */
export const partOf = (taken: Split, amount: number): Split => {
  const purchased = Math.min(amount, taken.purchased)
  return { purchased, monthly: Math.min(amount - purchased, taken.monthly), month: taken.month }
}
