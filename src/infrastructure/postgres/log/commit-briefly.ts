import type { Pool } from 'pg'
import { isLockTimeout, isMissingRelation, isOutage } from '../connection/errors.ts'
import type { ReplyQueues } from '../queue/reply-queues.ts'
import { type CommitPlan, filledBy, type Outcomes, queryOf, type SettledAppend } from './commit-plan.ts'
import type { Planner } from './planner.ts'

export interface BriefOutcomes extends Outcomes {
  /** Streams to which nothing was appended, as other transactions hold locks that they need. */
  readonly held: ReadonlySet<string>
  readonly filled: ReadonlySet<string>
}

export interface BriefDeps<Event> {
  readonly pool: Pool
  readonly planner: Planner<Event>
  readonly ensureQueues: (queues: ReadonlySet<string>, options?: { readonly forget?: boolean }) => Promise<void>
  readonly replyQueues?: Pick<ReplyQueues, 'ready'> | undefined
  /** Waits a moment for queues that are being made; gives those that still do not exist. Default: waits for all. */
  readonly queuesAwaited?: ((queues: ReadonlySet<string>) => Promise<ReadonlySet<string>>) | undefined
}

/** Null when a reply may be the cause of the failure; otherwise throws it. */
const giveUp = (replies: ReadonlySet<string>, error: unknown): null => {
  if (replies.size === 0 || isOutage(error)) throw error
  return null
}

const EACH = 'select command_bus_commit_each($1::jsonb) as answers'

const NONE: ReadonlySet<string> = new Set()

/**
 * Commits the appends of several callers, none of whom may wait for a lock that only another one needs. First all of them
 * together; if that meets a lock, each by itself in one statement, without those whose locks are held. Null: a reply may
 * not reach its queue, and only the full commit can keep it.
 */
export const createBriefCommit = <Event>({
  pool,
  planner,
  ensureQueues,
  replyQueues,
  queuesAwaited = queues => ensureQueues(queues).then(() => NONE),
}: BriefDeps<Event>) => {
  type Appends = readonly SettledAppend<Event>[]

  const eachAlone = async (appends: Appends, held: Set<string>): Promise<BriefOutcomes> => {
    const plans = appends.map(append => planner.document([append]))
    const { rows } = await pool.query<{ answers: readonly unknown[] }>(EACH, [
      `[${plans.map(({ statement }) => statement.values[0]).join(',')}]`,
    ])
    const lost: string[] = []
    const messages = new Map<string, string>()
    const filled = new Set<string>()
    rows[0]?.answers.forEach((answer, i) => {
      const planned = plans[i] as CommitPlan
      if (answer === null) {
        held.add(planned.streams[0] as string)
        return
      }
      const outcomes = planned.outcomesOf(answer) as Outcomes
      lost.push(...outcomes.lost)
      for (const [stream, msgId] of outcomes.messages) messages.set(stream, msgId)
      for (const queue of filledBy(planned, outcomes)) filled.add(queue)
    })
    return { lost, messages, held, filled }
  }

  const commit = async (
    appends: Appends,
    mayRepeat: boolean,
    planned = planner.plan(appends, false),
  ): Promise<BriefOutcomes | null> => {
    const held = new Set<string>()
    const replies = planned.replyQueues
    if (replies.size > 0 && !(await replyQueues?.ready(replies, {}))) return null
    const awaited = await queuesAwaited(planned.queues)
    if (awaited.size > 0) {
      const ready = appends.filter(
        append => ![...planner.plan([append], false).queues].some(queue => awaited.has(queue)),
      )
      for (const { append } of appends) held.add(append.stream)
      for (const { append } of ready) held.delete(append.stream)
      if (ready.length === 0) return { lost: [], messages: new Map(), held, filled: new Set() }
      const rest = await commit(ready, mayRepeat)
      return rest === null ? null : { ...rest, held: new Set([...held, ...rest.held]) }
    }
    try {
      const { rows } = await pool.query<{ answer: unknown }>(queryOf(planned, true))
      const answer = rows[0]?.answer ?? null
      if (answer === null) planner.noColumns(planned)
      const outcomes = answer === null ? null : planned.outcomesOf(answer)
      if (outcomes === null) return commit(appends, mayRepeat, planner.document(appends))
      return { ...outcomes, held, filled: filledBy(planned, outcomes) }
    } catch (error) {
      if (isLockTimeout(error)) return eachAlone(appends, held).catch(later => giveUp(replies, later))
      if (replies.size > 0) return giveUp(replies, error)
      if (!isMissingRelation(error) || !mayRepeat) throw error
      await ensureQueues(planned.queues, { forget: true })
      return commit(appends, false)
    }
  }

  return (appends: Appends): Promise<BriefOutcomes | null> => commit(appends, true)
}
