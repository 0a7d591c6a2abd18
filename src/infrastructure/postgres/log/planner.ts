import type { EventCodec } from '../../codec/event-codec.ts'
import { columnsFor, planColumns } from './commit-columns.ts'
import type { CommitPlan, InlineProjections, SettledAppend } from './commit-plan.ts'
import { type CommitAnswer, commitStatement, planUnit } from './unit-of-work.ts'

export interface Planner<Event> {
  /** As columns where that is possible, else as a document. */
  readonly plan: (appends: readonly SettledAppend<Event>[], atomic: boolean) => CommitPlan
  /** `careful`: keeps replies that cannot be delivered. */
  readonly document: (appends: readonly SettledAppend<Event>[], atomic?: boolean, careful?: boolean) => CommitPlan
  /** Notes that the database takes no such columns from this role. */
  readonly noColumns: (plan: Pick<CommitPlan, 'statement'>) => void
}

export const createPlanner = <Event extends { readonly type: string }>(
  codec: EventCodec<Event>,
  projections: InlineProjections<Event>,
): Planner<Event> => {
  const refused = new Set<string>()
  const document: Planner<Event>['document'] = (appends, atomic = false, careful = false) => {
    const { unit, streamOf, ...queues } = planUnit(appends, codec, projections, atomic)
    return {
      ...queues,
      streams: appends.map(({ append }) => append.stream),
      statement: commitStatement(careful ? { ...unit, careful } : unit),
      outcomesOf: answer => {
        const { messages, ...others } = answer as CommitAnswer
        return { ...others, messages: new Map(messages.map(([event, msgId]) => [streamOf[event] as string, msgId])) }
      },
    }
  }
  return {
    document,
    plan: (appends, atomic) => {
      const name = atomic ? null : columnsFor(appends)
      const planned = name === null || refused.has(name) ? null : planColumns(name, appends, codec, projections)
      return planned ?? document(appends, atomic)
    },
    noColumns: ({ statement: { name } }) => {
      refused.add(name)
    },
  }
}
