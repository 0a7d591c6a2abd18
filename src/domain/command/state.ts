import type { Instant } from '../instant.ts'
import type { Json } from '../json/json.ts'
import type { CommandError, CommandSent } from './events.ts'
import type { Care, Parking } from './parking.ts'

export interface CommandFacts {
  readonly sent: CommandSent
  /** The present payload: the sender's, or an operator's edit of it. */
  readonly data: Json
  /** Not before; null: it could run since it was sent. */
  readonly runAt: Instant | null
  /** Revision of the event that holds `data`. */
  readonly dataRevision: number
  /** Attempts of this round; an operator's retry starts a new one. */
  readonly attempts: number
  /** Where this round's count began: 0, the attempts kept by `resetAttempts: false`, or the reads of an adopted message. */
  readonly attemptOffset: number
  readonly totalAttempts: number
  readonly lastError: CommandError | null
  /** The messages of earlier rounds, archived when the command parked. A report that names one is stale. */
  readonly retiredMsgIds: readonly string[]
  readonly care: Care
  readonly lastNote: { readonly actor: string; readonly text: string } | null
  /** Revision of the last event. */
  readonly revision: number
}

export type CommandState =
  | { readonly status: 'NONE' }
  | ({
      readonly status: 'PENDING'
      readonly retryAt: Instant | null
      /** Since when it may be handled. */
      readonly dueAt: Instant
    } & CommandFacts)
  | ({
      readonly status: 'IN_PROGRESS'
      readonly workerId: string
      readonly msgId: string
      readonly leaseExpiresAt: Instant
    } & CommandFacts)
  | ({ readonly status: 'COMPLETED'; readonly result: Json; readonly finishedBy: string } & CommandFacts)
  | ({ readonly status: 'FAILED'; readonly finishedBy: string } & CommandFacts)
  | ({ readonly status: 'CANCELED'; readonly reason: string | null } & CommandFacts)
  | ({
      readonly status: 'IN_TROUBLESHOOTING_QUEUE'
      readonly parking: Parking
      readonly archivedMsgId: string
      /** Revision of the event that parked it. */
      readonly parkedBy: number
    } & CommandFacts)

export type SentCommandState = Exclude<CommandState, { status: 'NONE' }>

export const initialState: CommandState = { status: 'NONE' }

/** Whether no worker has begun it yet, as far as the log knows. */
export const isUnbegun = (state: CommandState): boolean => state.status === 'PENDING' && state.totalAttempts === 0

/** The last attempt number of this round. A retry that keeps the count still gives one more attempt. */
export const attemptLimit = (facts: CommandFacts): number =>
  Math.max(facts.sent.policy.maxAttempts, facts.attemptOffset + 1)
