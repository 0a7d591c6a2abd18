import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { noteResults } from './decide-results.ts'
import type { Charge, RunEvent } from './events.ts'
import type {
  AbandonCharge,
  Begin,
  CancelRun,
  FailDispatch,
  Initiate,
  NoteRefund,
  RetryFailed,
  RunIntent,
} from './intents.ts'
import { fitting } from './pieces.ts'
import type { RunRejection } from './rejections.ts'
import { planRetry } from './retry.ts'
import { costOf, endOf, isOpen, type RunState, refundsAt, type StartedRun } from './state.ts'
import { isActive } from './status.ts'

type Decision = Either<RunRejection, readonly RunEvent[]>

const nothing: Decision = right([])

/** Which events an intent causes in a state. The same intent twice never causes a second event. */
export const decide = (intent: RunIntent, state: RunState): Decision => {
  if (intent.type === 'Initiate') return initiate(intent, state)
  if (intent.type === 'AbandonCharge') return abandon(intent, state)
  if (state.status === 'NONE') return left({ type: 'NotFound' })
  switch (intent.type) {
    case 'Begin':
      return begin(intent, state)
    case 'NoteResults':
      return right(noteResults(intent, state))
    case 'RetryFailed':
      return retryFailed(intent, state)
    case 'Cancel':
      return cancel(intent, state)
    case 'FailDispatch':
      return failDispatch(intent, state)
    case 'NoteRefund':
      return noteRefund(intent, state)
  }
}

const totalOf = (charge: Charge | null): number => (charge === null ? 0 : charge.taken.monthly + charge.taken.purchased)

const initiate = ({ type: _, ...details }: Initiate, state: RunState): Decision => {
  const { charge, files, testRun, creditsPerRun } = details
  if (state.status !== 'NONE') {
    const same = charge !== null && state.charges.some(({ chargeId }) => chargeId === charge.chargeId)
    return same ? nothing : left({ type: 'AlreadyThere' })
  }
  if (files.length === 0) return left({ type: 'NoFiles' })
  if (charge !== null && state.abandoned.includes(charge.chargeId)) return left({ type: 'ChargeAbandoned' })
  const needed = testRun ? 0 : files.length * creditsPerRun
  if (totalOf(charge) !== needed) return left({ type: 'ChargeDoesNotFit', needed })
  return right([{ ...details, type: 'RunInitiated' }])
}

const begin = ({ at, actor, round }: Begin, state: StartedRun): Decision =>
  state.status === 'QUEUED' && state.round === round ? right([{ type: 'RunBegan', at, actor, round }]) : nothing

const retryFailed = ({ at, actor, retryId, charge }: RetryFailed, state: StartedRun): Decision => {
  if (state.lastRetryId === retryId) return nothing
  if (state.abandoned.includes(retryId)) return left({ type: 'ChargeAbandoned' })
  const plan = planRetry(state)
  if (isLeft(plan)) return plan
  const { files, credits } = plan.right
  if (totalOf(charge) !== credits) return left({ type: 'ChargeDoesNotFit', needed: credits })
  const { monthly, purchased } = costOf(state.charges)
  const totals = {
    creditsFromMonthly: monthly + (charge?.taken.monthly ?? 0),
    creditsFromPurchased: purchased + (charge?.taken.purchased ?? 0),
  }
  return right([{ type: 'RunResumed', at, actor, retryId, round: state.round + 1, files, charge, ...totals }])
}

const cancel = ({ at, actor, reason }: CancelRun, state: StartedRun): Decision => {
  if (state.status === 'CANCELLED') return nothing
  return isActive(state.status)
    ? right([{ type: 'RunCancelled', at, actor, reason }])
    : left({ type: 'NotRunning', status: state.status })
}

/**
 * The files get their state of before the round back, and the round's charge is owed. Where there are more files than one event
 * can hold, the run keeps its status until the same intent has restored the last of them.
 */
const failDispatch = ({ at, actor, round, code, message }: FailDispatch, state: StartedRun): Decision => {
  if (state.round !== round || !isActive(state.status)) return nothing
  const open = state.files.flatMap((file, index) => {
    if (!file.open) return []
    const { status, retryAttempt, errorCode, errorMessage, lastRetriedAt } = file.before ?? {
      ...file,
      // a first round that never reached the queue: paid back now, and paid again by its retry
      status: 'failed' as const,
      errorCode: code,
      errorMessage: message,
    }
    return [{ index, status, retryAttempt, errorCode, errorMessage, lastRetriedAt }]
  })
  const restored = fitting(open)
  const event = { type: 'RunDispatchFailed', at, actor, round, code, message, restored } as const
  if (restored.length < open.length) return right([{ ...event, status: state.status, refunds: [], settled: false }])
  const statuses = new Map(restored.map(({ index, status }) => [index, status]))
  const after = state.files.map((file, index) => ({ ...file, status: statuses.get(index) ?? file.status }))
  const status = endOf(after)
  const refunds = refundsAt(status, state, `the jobs of round ${round} could not be queued`, round)
  const settled = refunds.length + state.owed.length === 0
  return right([{ ...event, status, refunds, settled }])
}

const noteRefund = ({ at, actor, returned }: NoteRefund, state: StartedRun): Decision => {
  const fresh = returned.filter(({ chargeId }) => state.owed.some(owed => owed.chargeId === chargeId))
  if (fresh.length === 0) return nothing
  const back = new Map(fresh.map(({ chargeId, returned: split }) => [chargeId, split]))
  const { monthly, purchased } = costOf(
    state.charges.map(charge => ({ ...charge, returned: back.get(charge.chargeId) ?? charge.returned })),
  )
  const settled = !isOpen(state) && fresh.length === state.owed.length
  const totals = { creditsFromMonthly: monthly, creditsFromPurchased: purchased }
  return right([{ type: 'RunRefunded', at, actor, returned: fresh, ...totals, settled }])
}

const abandon = ({ at, actor, chargeId }: AbandonCharge, state: RunState): Decision => {
  if (state.abandoned.includes(chargeId)) return nothing
  const used = state.status !== 'NONE' && state.charges.some(charge => charge.chargeId === chargeId)
  return used ? left({ type: 'ChargeInUse' }) : right([{ type: 'RunChargeAbandoned', at, actor, chargeId }])
}
