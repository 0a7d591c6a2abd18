import type { StreamAppend } from '../../../application/ports/event-store.ts'
import type { Recorded } from '../../../domain/recorded.ts'
import type { RowChange } from '../../../projections/command-row.ts'
import type { Effect } from '../../../projections/outbox.ts'
import type { RowWrite } from '../../../projections/row-write.ts'

/** What the commit of an event does besides appending it. */
export interface InlineProjections<Event> {
  readonly row: (recorded: Recorded<Event>) => RowChange | null
  readonly effects: (recorded: Recorded<Event>) => readonly Effect[]
  /** Rows of the other read tables. */
  readonly writes?: (recorded: Recorded<Event>) => readonly RowWrite[]
}

/** An append whose expected revision is settled: `from` is the revision of its first event. */
export interface SettledAppend<Event> {
  readonly append: StreamAppend<Event>
  readonly from: number
}

/** What became of the appends, by stream. */
export interface Outcomes {
  readonly lost: readonly string[]
  readonly messages: ReadonlyMap<string, string>
  /** Queues whose replies were kept. */
  readonly undelivered?: readonly string[]
  /** Queues with messages of other commands that have become visible: their workers are notified, too. */
  readonly shown?: readonly string[]
}

/** One call that commits appends with their rows and messages. */
export interface CommitPlan {
  readonly streams: readonly string[]
  /** Every queue of commands that must exist before the commit. */
  readonly queues: ReadonlySet<string>
  /** The queues of its replies: the appends are committed even if one cannot be made. */
  readonly replyQueues: ReadonlySet<string>
  /** Queues on which it puts messages: their workers are notified after the commit. */
  readonly filled: ReadonlySet<string>
  readonly statement: Statement
  /** From the answer of the call; null: nothing was committed, as a command has moved on. A document commits the others. */
  readonly outcomesOf: (answer: unknown) => Outcomes | null
}

interface Statement {
  readonly name: string
  readonly call: string
  readonly values: readonly unknown[]
  /** It takes locks of lanes, which others have for as long as a whole batch takes. */
  readonly inLanes?: boolean
}

/** The query of a plan. `brief`: it waits only a moment for a lock; `set_config` holds for this transaction, the statement. */
export const queryOf = (
  { statement: { name, call, values, inLanes = false } }: Pick<CommitPlan, 'statement'>,
  brief = false,
) =>
  brief
    ? {
        name: `${name}_brief${inLanes ? '_lanes' : ''}`,
        text: `select ${call} as answer from set_config('lock_timeout', '${inLanes ? 400 : 100}ms', true)`,
        values: [...values],
      }
    : { name, text: `select ${call} as answer`, values: [...values] }

/** All queues whose workers find something new after a commit. */
export const filledBy = ({ filled }: Pick<CommitPlan, 'filled'>, { shown = [] }: Outcomes): ReadonlySet<string> =>
  shown.length === 0 ? filled : new Set([...filled, ...shown])
