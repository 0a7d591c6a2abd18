import { type Step, stepsOf } from '../history.ts'
import type { Instant } from '../instant.ts'
import type { Json } from '../json/json.ts'
import type { Recorded } from '../recorded.ts'
import { namesOf } from './audit-names.ts'
import type { CommandColumns, historyColumns } from './columns.ts'
import type { CommandEvent, ParkingReason } from './events.ts'
import { evolve } from './evolve.ts'
import { notParked } from './parking.ts'
import { type CommandState, initialState, type SentCommandState } from './state.ts'

/** A command as it stood after one of its events, in the words of the read row. */
export interface CommandSnapshot extends Pick<CommandColumns, (typeof historyColumns)[number]> {
  /** Who holds it while it is IN_PROGRESS. */
  readonly workerId: string | null
  readonly parkedReason: ParkingReason | null
  readonly canceledReason: string | null
  /** The payload that a worker gets: the sender's, or an operator's edit of it. */
  readonly data: Json
  readonly result: Json
}

/** One event of a command, what it changed, and the state after it. */
export type HistoryStep = Step<CommandEvent, CommandSnapshot>

/** Folds the events of one command, in order from the first, into one step for each. */
export const historyOf = (events: readonly Recorded<CommandEvent>[]): readonly HistoryStep[] => [
  ...stepsOf(
    {
      initial: initialState,
      evolve,
      snapshotOf: (state: CommandState, at) => (state.status === 'NONE' ? null : snapshotOf(state, at)),
      namesOf,
    },
    events,
  ),
]

/** A state with the names of the read table; `updatedAt` is the time of its last event. */
export const snapshotOf = (state: SentCommandState, updatedAt: Instant): CommandSnapshot => ({
  status: state.status,
  commandType: state.sent.commandType,
  attempts: state.attempts,
  maxAttempts: state.sent.policy.maxAttempts,
  totalAttempts: state.totalAttempts,
  workerId: state.status === 'IN_PROGRESS' ? state.workerId : null,
  leaseExpiresAt: state.status === 'IN_PROGRESS' ? state.leaseExpiresAt : null,
  nextAttemptAt: state.status === 'PENDING' ? state.retryAt : null,
  ...(state.status === 'IN_TROUBLESHOOTING_QUEUE' ? state.parking : notParked),
  ...state.care,
  lastErrorType: state.lastError?.type ?? null,
  lastErrorCode: state.lastError?.code ?? null,
  lastErrorMsg: state.lastError?.message ?? null,
  lastErrorFrame: state.lastError?.frame ?? null,
  canceledReason: state.status === 'CANCELED' ? state.reason : null,
  data: state.data,
  dataRevision: state.dataRevision,
  result: state.status === 'COMPLETED' ? state.result : null,
  replyTo: state.sent.replyTo,
  correlationId: state.sent.correlationId,
  causationId: state.sent.causationId,
  tenantId: state.sent.tenantId,
  ownerId: state.sent.ownerId,
  parentCommandId: state.sent.parentCommandId,
  retryCount: state.sent.retryCount,
  runAt: state.runAt,
  priority: state.sent.priority ?? 'normal',
  expiresAt: state.sent.expiresAt ?? null,
  lane: state.sent.lane ?? null,
  createdAt: state.sent.at,
  updatedAt,
  revision: state.revision,
})
