import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { jsonDiff } from '../json/json-diff.ts'
import type { CommandCompleted, CommandError, CommandEvent, CommandReceived, ParkingReason } from './events.ts'
import type {
  Cancel,
  CommandIntent,
  Expire,
  OperatorIntents,
  Receive,
  ReportFailure,
  ReportSuccess,
  Reschedule,
  Send,
} from './intents.ts'
import type { CommandRejection } from './rejections.ts'
import { waitAfter } from './retry-policy.ts'
import { attemptLimit, type CommandState, isUnbegun, type SentCommandState } from './state.ts'
import { isLegal } from './transitions.ts'

type Decision = Either<CommandRejection, readonly CommandEvent[]>
type Parked = Extract<CommandState, { status: 'IN_TROUBLESHOOTING_QUEUE' }>
type Running = Extract<CommandState, { status: 'IN_PROGRESS' }>

const nothing: Decision = right([])

/** Which events an intent causes in a state. The same intent twice never causes a second event. */
export const decide = (intent: CommandIntent, state: CommandState): Decision => {
  if (intent.type === 'Send') return send(intent, state)
  if (state.status === 'NONE') return left({ type: 'NotFound' })
  switch (intent.type) {
    case 'Receive':
      return receive(intent, state)
    case 'ReportSuccess':
      return intent.receive === undefined
        ? report(intent, state, running => [succeed(intent, running.msgId)])
        : receiveAndSucceed(intent, intent.receive, state)
    case 'ReportFailure':
      return report(intent, state, running => fail(intent, running))
    case 'Cancel':
      return cancel(intent, state)
    case 'Reschedule':
      return reschedule(intent, state)
    case 'Expire':
      return expire(intent, state)
    case 'OperatorRetry':
      return whenParked(state, parked => retry(intent, parked))
    case 'OperatorCancel':
      return whenParked(state, () => operatorCancel(intent))
    case 'OperatorComplete':
      return whenParked(state, () => operatorComplete(intent))
    case 'OperatorSnooze':
      return whenParked(state, parked => snooze(intent, parked))
    case 'OperatorNote':
      return whenParked(state, parked => note(intent, parked))
    case 'OperatorAssign':
      return whenParked(state, parked => assign(intent, parked))
    case 'OperatorTag':
      return whenParked(state, parked => tag(intent, parked))
    case 'OperatorEndAttempt':
      return state.status === 'IN_PROGRESS'
        ? endAttempt(intent, state)
        : left({ type: 'NotInProgress', status: state.status })
  }
}

const send = (intent: Send, state: CommandState): Decision =>
  state.status === 'NONE'
    ? right([{ ...intent, type: 'CommandSent' }])
    : left({ type: 'AlreadySent', status: state.status })

/**
 * The queue counts reads, so a read that left no event shows as a gap in the attempts. Those attempts are first recorded as
 * lost. After the last attempt the command parks, or fails where its policy says so.
 */
const receive = (intent: Receive, state: SentCommandState): Decision => {
  if (!isLegal('CommandReceived', state.status)) return left({ type: 'NothingToDo', status: state.status })
  const attempt = state.attemptOffset + intent.delivery
  if (isOwnReceipt(intent, state) && attempt === state.attempts) return nothing
  if (attempt <= state.attempts || state.retiredMsgIds.includes(intent.msgId)) {
    return left({ type: 'StaleAttempt', status: state.status, reported: attempt, present: state.attempts })
  }
  const limit = attemptLimit(state)
  const last = Math.min(attempt, limit)
  const received: CommandReceived[] = []
  // the count of an adopted command begins after its offset
  const before = Math.max(state.attempts, state.attemptOffset)
  const totalBefore = Math.max(state.totalAttempts, state.attemptOffset)
  for (let number = before + 1; number <= last; number++) {
    const lost = number < attempt
    received.push({
      type: 'CommandReceived',
      at: intent.at,
      actor: lost ? 'worker:unknown' : intent.actor,
      attempt: number,
      total: totalBefore + number - before,
      msgId: intent.msgId,
      // a lost attempt's lease ran out at some time before this read
      leaseExpiresAt: lost ? intent.at : intent.leaseExpiresAt,
      lost,
      // nobody knows who lost it
      ...(lost ? {} : buildOf(intent)),
    })
  }
  return right(attempt <= limit ? received : [...received, leaseLost(intent, state, limit)])
}

/** Each round has its own message: the same attempt number in an earlier round is another attempt. */
const isOwnReceipt = (intent: Receive, state: SentCommandState): boolean =>
  state.status === 'IN_PROGRESS' && intent.actor === state.workerId && intent.msgId === state.msgId

const leaseLost = (intent: Receive, state: SentCommandState, attempt: number): CommandEvent =>
  ending({ at: intent.at, actor: intent.actor, attempt, msgId: intent.msgId }, state, 'LEASE_LOST', {
    type: 'LEASE_LOST',
    code: 'LEASE_LOST',
    message: `The worker was lost in attempt ${attempt} of ${attempt}: its lease ran out without a report`,
  })

type Ending = {
  readonly at: string
  readonly actor: string
  readonly attempt: number
  readonly msgId: string
  readonly build?: string
}

/** No attempt is left: the policy decides whether the command parks or fails. */
const ending = (base: Ending, state: SentCommandState, reason: ParkingReason, error: CommandError): CommandEvent =>
  state.sent.policy.onExhausted === 'fail'
    ? { ...base, type: 'CommandExhausted', error }
    : { ...base, type: 'CommandMovedToTroubleshooting', reason, error }

/** A report counts only for the attempt that is running now; the same report again changes nothing. */
const report = (
  intent: ReportSuccess | ReportFailure,
  state: SentCommandState,
  accept: (running: Running) => readonly CommandEvent[],
): Decision => {
  if (state.status === 'IN_PROGRESS' && state.attempts === intent.attempt) return right(accept(state))
  if (state.attempts === intent.attempt && isRepetition(intent, state)) return nothing
  return left({ type: 'StaleAttempt', status: state.status, reported: intent.attempt, present: state.attempts })
}

const isRepetition = (intent: ReportSuccess | ReportFailure, state: SentCommandState): boolean =>
  intent.type === 'ReportSuccess'
    ? state.status === 'COMPLETED' && state.finishedBy === intent.actor
    : (state.status === 'PENDING' && state.retryAt !== null) ||
      (state.status === 'IN_TROUBLESHOOTING_QUEUE' && state.parking.parkedReason !== 'ATTEMPT_ENDED') ||
      (state.status === 'FAILED' && state.finishedBy === intent.actor)

const succeed = ({ at, actor, attempt, result, build }: ReportSuccess, msgId: string): CommandCompleted =>
  build === undefined
    ? { type: 'CommandCompleted', at, actor, attempt, msgId, result }
    : { type: 'CommandCompleted', at, actor, attempt, msgId, result, build }

const buildOf = ({ build }: { readonly build?: string | undefined }) => (build === undefined ? {} : { build })

/** Receipt and success as one event, after the events of lost attempts. */
const receiveAndSucceed = (intent: ReportSuccess, receiving: Receive, state: SentCommandState): Decision => {
  if (state.attempts === intent.attempt && isRepetition(intent, state)) return nothing
  const received = receive(receiving, state)
  if (isLeft(received)) return received
  const own = received.right.at(-1)
  if (own === undefined) return report(intent, state, running => [succeed(intent, running.msgId)])
  if (own.type !== 'CommandReceived' || own.attempt !== intent.attempt) {
    return left({ type: 'StaleAttempt', status: state.status, reported: intent.attempt, present: state.attempts })
  }
  const { at, total, leaseExpiresAt, msgId } = own
  return right(received.right.with(-1, { receipt: { at, total, leaseExpiresAt }, ...succeed(intent, msgId) }))
}

const fail = (intent: ReportFailure, running: Running): readonly CommandEvent[] => {
  const { error } = intent
  const base = { at: intent.at, actor: intent.actor, attempt: intent.attempt, msgId: running.msgId, ...buildOf(intent) }
  switch (error.type) {
    case 'BUSINESS_RULE':
      return [{ ...base, type: 'CommandRejectedByBusinessRule', error }]
    case 'TRANSIENT': {
      if (intent.givenUp?.counts === false) {
        return [{ ...base, type: 'CommandFailed', error, retryAt: intent.at, uncounted: true }]
      }
      if (intent.attempt >= attemptLimit(running)) return [ending(base, running, 'EXHAUSTED', error)]
      if (intent.givenUp !== undefined) return [{ ...base, type: 'CommandFailed', error, retryAt: intent.at }]
      const wait = waitAfter(running.sent.policy, intent.attempt - running.attemptOffset, intent.random)
      return [{ ...base, type: 'CommandFailed', error, retryAt: new Date(Date.parse(intent.at) + wait).toISOString() }]
    }
    case 'TAMPERED':
      // parks whatever the policy says: an operator has to find out who changed the message
      return [{ ...base, type: 'CommandMovedToTroubleshooting', reason: 'TAMPERED', error }]
    case 'PERMANENT':
    case 'NO_HANDLER':
    case 'INVALID_PAYLOAD':
    case 'LEASE_LOST':
    case 'ATTEMPT_ENDED':
      return [ending(base, running, error.type, error)]
  }
}

const cancel = (intent: Cancel, state: SentCommandState): Decision =>
  isLegal('CommandCanceled', state.status)
    ? right([{ type: 'CommandCanceled', at: intent.at, actor: intent.actor, reason: intent.reason }])
    : left({ type: 'NotPending', status: state.status })

const reschedule = ({ at, actor, runAt }: Reschedule, state: SentCommandState): Decision => {
  if (!isUnbegun(state)) return left({ type: 'Begun', status: state.status })
  const { expiresAt } = state.sent
  if (expiresAt !== undefined && expiresAt <= runAt) return left({ type: 'ExpiresBefore', expiresAt })
  const runsNow = runAt <= at && (state.runAt === null || state.runAt <= at)
  return runsNow || state.runAt === runAt ? nothing : right([{ type: 'CommandRescheduled', at, actor, runAt }])
}

const expire = ({ at, actor }: Expire, state: SentCommandState): Decision => {
  const { expiresAt } = state.sent
  return isUnbegun(state) && expiresAt !== undefined && expiresAt <= at
    ? right([{ type: 'CommandExpired', at, actor, expiresAt }])
    : nothing
}

const whenParked = (state: SentCommandState, then: (parked: Parked) => Decision): Decision =>
  state.status === 'IN_TROUBLESHOOTING_QUEUE'
    ? then(state)
    : left({ type: 'NotInTroubleshooting', status: state.status })

const retry = (intent: OperatorIntents['retry'], parked: Parked): Decision =>
  right([
    {
      type: 'OperatorRetried',
      at: intent.at,
      actor: intent.actor,
      resetAttempts: intent.resetAttempts,
      attempts: intent.resetAttempts ? 0 : parked.attempts,
      archivedMsgId: parked.archivedMsgId,
      dataRevision: intent.data === undefined ? parked.dataRevision : parked.revision + 1,
      ...(parked.parking.parkedReason === 'TAMPERED' ? { fromLog: true as const } : {}),
      ...(intent.data === undefined ? {} : { data: intent.data, diff: jsonDiff(parked.data, intent.data) }),
      ...reasonOf(intent),
    },
  ])

const operatorCancel = (intent: OperatorIntents['cancel']): Decision =>
  intent.reason.trim() === ''
    ? left({ type: 'BlankReason' })
    : right([{ type: 'OperatorCanceled', at: intent.at, actor: intent.actor, reason: intent.reason }])

const operatorComplete = (intent: OperatorIntents['complete']): Decision =>
  right([
    {
      type: 'OperatorCompleted',
      at: intent.at,
      actor: intent.actor,
      resultData: intent.resultData,
      ...reasonOf(intent),
    },
  ])

const reasonOf = ({ reason }: { readonly reason?: string }): { readonly reason?: string } =>
  reason === undefined ? {} : { reason }

const snooze = ({ at, actor, until, reason }: OperatorIntents['snooze'], { parking }: Parked): Decision => {
  const { parkedAt, parkedReason, snoozedUntil } = parking
  if (snoozedUntil === until) return nothing
  return right([{ type: 'OperatorSnoozed', at, actor, until, reason: reason ?? null, parkedAt, parkedReason }])
}

/** The same note again, with no other between, is one note: a form was submitted twice. */
const note = ({ at, actor, text }: OperatorIntents['note'], { parking, care, lastNote }: Parked): Decision =>
  lastNote?.text === text && lastNote.actor === actor
    ? nothing
    : right([{ type: 'OperatorNoted', at, actor, text, number: care.notes + 1, ...parking }])

const assign = ({ at, actor, assignee }: OperatorIntents['assign'], { parking, care }: Parked): Decision =>
  care.assignee === assignee ? nothing : right([{ type: 'OperatorAssigned', at, actor, assignee, ...parking }])

const tag = ({ at, actor, tags }: OperatorIntents['tag'], { parking, care }: Parked): Decision =>
  care.tags.length === tags.length && tags.every((one, i) => care.tags[i] === one)
    ? nothing
    : right([{ type: 'OperatorTagged', at, actor, tags, ...parking }])

/** Parks whatever the policy says: an operator is already working on it. */
const endAttempt = ({ at, actor, reason }: OperatorIntents['endAttempt'], { attempts, msgId }: Running): Decision =>
  reason.trim() === ''
    ? left({ type: 'BlankReason' })
    : right([
        {
          type: 'OperatorEndedAttempt',
          at,
          actor,
          attempt: attempts,
          msgId,
          reason,
          error: {
            type: 'ATTEMPT_ENDED',
            code: 'ATTEMPT_ENDED',
            message: `an operator ended attempt ${attempts}: ${reason}`,
          },
        },
      ])
