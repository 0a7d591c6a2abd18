import { isLeft } from 'fp-ts/lib/Either.js'
import type { ClientBase, Pool } from 'pg'
import {
  type AppendOptions,
  type AppendResult,
  EventDecodeError,
  type EventStore,
  type StreamAppend,
} from '../../../application/ports/event-store.ts'
import type { Recorded } from '../../../domain/recorded.ts'
import type { EventCodec } from '../../codec/event-codec.ts'
import { isLostRace, isMissingRelation, isOutage } from '../connection/errors.ts'
import type { ReplyQueues } from '../queue/reply-queues.ts'
import { createAfterTransaction } from '../transactions/after-transaction.ts'
import { retryTransient } from '../transactions/retry-transient.ts'
import { resultsOf, settle } from './append-results.ts'
import { type BriefDeps, createBriefCommit } from './commit-briefly.ts'
import {
  type CommitPlan,
  filledBy,
  type InlineProjections,
  type Outcomes,
  queryOf,
  type SettledAppend,
} from './commit-plan.ts'
import { createPlanner } from './planner.ts'

export interface PostgresEventStoreOptions<Event> {
  readonly pool: Pool
  readonly codec: EventCodec<Event>
  readonly projections: InlineProjections<Event>
  /**
   * Makes queues that do not exist yet; called before a unit that needs them. It must not take its connection from the
   * callers' pool. `forget`: look again, because one was missing; `within`: the caller's transaction.
   */
  readonly ensureQueues: (
    queues: ReadonlySet<string>,
    options?: { readonly forget?: boolean; readonly within?: Querier },
  ) => Promise<void>
  /** Makes queues for replies. Without it the commit makes them, which costs a subtransaction. */
  readonly replyQueues?: Pick<ReplyQueues, 'ready' | 'failed'> | undefined
  readonly queuesAwaited?: BriefDeps<Event>['queuesAwaited'] | undefined
  /** Events that stand in for a stream that was archived, so that it is not mistaken for a new one. */
  readonly ofArchived?: (archived: ArchivedStream) => readonly Recorded<Event>[]
  /** Called after a commit with the queues that got messages. */
  readonly onFilled: (queues: ReadonlySet<string>) => void
}

/** What the database still holds of a stream whose events were moved to a file. */
export interface ArchivedStream {
  readonly stream: string
  readonly status: string
  /** The revision of its last event. */
  readonly revision: number
}

type Querier = Pick<ClientBase, 'query'>

/**
 * An event store that writes the log, the read rows and the queues in one transaction of PostgreSQL.
 *
 * An append whose connection breaks is repeated with the same event ids, so it takes effect once whether or not the
 * first try was committed. Inside the caller's transaction (`within`: a connected client) nothing is repeated.
 */
export const createPostgresEventStore = <Event extends { readonly type: string }>(
  options: PostgresEventStoreOptions<Event>,
): EventStore<Event> => {
  const { pool, codec } = options
  const planner = createPlanner(codec, options.projections)
  const afterTransaction = createAfterTransaction(options.onFilled)
  const commitBriefly = createBriefCommit({ ...options, planner })

  const commitTogether = async (
    appends: readonly StreamAppend<Event>[],
    atomic: boolean,
    { within, brief = false }: AppendOptions = {},
  ): Promise<readonly AppendResult[]> => {
    refuseEmpty(appends)
    const client = within as ClientBase | undefined
    // settled once: a repeated append must expect the same revisions, or its first try would not be recognised
    let settled: readonly SettledAppend<Event>[] | undefined
    const tryOnce = async (): Promise<readonly AppendResult[]> => {
      const querier = client ?? pool
      settled ??= await settle(querier, appends)
      if (brief && client === undefined && !atomic) {
        const committed = await commitBriefly(settled)
        if (committed !== null) {
          const { held, ...outcomes } = committed
          const tried = settled.filter(({ append }) => !held.has(append.stream))
          const results = await resultsOf(pool, tried, outcomes, false)
          if (outcomes.filled.size > 0) options.onFilled(outcomes.filled)
          if (held.size === 0) return results
          const byStream = new Map(results.map(result => [result.stream, result]))
          return appends.map(({ stream }) => byStream.get(stream) ?? { outcome: 'held', stream })
        }
      }
      // in the caller's transaction a unit that may fail would need a savepoint of its own: many of them slow down the server
      const planned = client === undefined ? planner.plan(settled, atomic) : planner.document(settled, atomic)
      const outcomes = await run(querier, planned, settled, atomic, client === undefined)
      const results = await resultsOf(querier, settled, outcomes, atomic)
      const filled = filledBy(planned, outcomes)
      if (filled.size > 0) {
        if (client === undefined) options.onFilled(filled)
        else afterTransaction(client, filled)
      }
      return results
    }
    return client === undefined ? retryTransient(tryOnce) : tryOnce()
  }

  /** Commands in lanes go by themselves: as they need locks and a document, others would pay for them. */
  const commit = async (
    appends: readonly StreamAppend<Event>[],
    atomic: boolean,
    given: AppendOptions = {},
  ): Promise<readonly AppendResult[]> => {
    const inLanes = atomic || given.within !== undefined ? [] : appends.filter(isInLane)
    if (inLanes.length === 0 || inLanes.length === appends.length) return commitTogether(appends, atomic, given)
    refuseEmpty(appends)
    const others = appends.filter(append => !isInLane(append))
    const results = [...(await commitTogether(others, false, given)), ...(await commitTogether(inLanes, false, given))]
    const byStream = new Map(results.map(result => [result.stream, result]))
    return appends.map(({ stream }) => byStream.get(stream) as AppendResult)
  }

  const run = async (
    querier: Querier,
    planned: CommitPlan,
    settled: readonly SettledAppend<Event>[],
    atomic: boolean,
    mayRepeat: boolean,
  ): Promise<Outcomes> => {
    const { queues, replyQueues } = planned
    const send = async (plan: CommitPlan): Promise<Outcomes> => {
      const { name, ...query } = queryOf(plan)
      const { rows } = await querier.query(mayRepeat ? { name, ...query } : query)
      const { answer } = rows[0]
      if (answer === null) planner.noColumns(plan)
      const outcomes = answer === null ? null : plan.outcomesOf(answer)
      if (outcomes === null) return send(planner.document(settled, atomic))
      if (outcomes.undelivered?.length) options.replyQueues?.failed(outcomes.undelivered)
      return outcomes
    }
    const ensure = async (given: { readonly forget?: boolean; readonly within?: Querier }): Promise<boolean> => {
      await options.ensureQueues(queues, given)
      return replyQueues.size === 0 || ((await options.replyQueues?.ready(replyQueues, given)) ?? false)
    }
    const isReady = await ensure(mayRepeat ? {} : { within: querier })
    // in the caller's transaction there is only one try
    const careful = replyQueues.size > 0 && (!isReady || !mayRepeat)
    const carefully = (): CommitPlan => planner.document(settled, atomic, replyQueues.size > 0)
    const undoable = !mayRepeat && atomic
    try {
      if (undoable) await querier.query('savepoint command_bus_append')
      const outcomes = await send(careful ? carefully() : planned)
      if (undoable) await querier.query('release savepoint command_bus_append')
      return outcomes
    } catch (error) {
      if (undoable && isLostRace(error)) await querier.query('rollback to savepoint command_bus_append')
      if (isLostRace(error)) {
        return { lost: JSON.parse((error as { detail?: string }).detail ?? '[]'), messages: new Map() }
      }
      const mayBeReply = replyQueues.size > 0 && !careful && !isOutage(error)
      if (!isMissingRelation(error) && !mayBeReply) throw error
      // the caller's transaction is lost; its next try finds the queue
      await ensure({ forget: true })
      if (!mayRepeat) throw error
      return send(carefully())
    }
  }

  const readRecorded = async (streams: readonly string[], { within }: AppendOptions = {}, from = 0) => {
    const found = new Map<string, Recorded<Event>[]>()
    if (streams.length === 0) return found
    const { rows } = await ((within as ClientBase | undefined) ?? pool).query({
      text: 'select stream, revision, id, type, data, meta from command_bus_streams($1::text[], $2::bigint)',
      values: [streams, from],
    })
    for (const row of rows as EventRow[]) {
      const recorded = decodeRow(codec, row)
      const events = found.get(row.stream)
      if (events === undefined) found.set(row.stream, [recorded])
      else events.push(recorded)
    }
    return found
  }

  /** An archived stream gives the events that stand in for it. */
  const readStreams: EventStore<Event>['readStreams'] = async (streams, given = {}) => {
    const found = await readRecorded(streams, given)
    const absent = streams.filter(stream => !found.has(stream))
    if (absent.length === 0 || options.ofArchived === undefined) return found
    const { rows } = await ((given.within as ClientBase | undefined) ?? pool).query({
      text: `select stream, status, revision::float8 as revision from command_bus_archived_stream where stream = any ($1::text[])`,
      values: [absent],
    })
    for (const row of rows as ArchivedStream[]) found.set(row.stream, [...options.ofArchived(row)])
    return found
  }

  return {
    capabilities: { atomicAppend: true, inlineProjections: true },
    append: (appends, appendOptions) => commit(appends, false, appendOptions),
    appendAll: (appends, appendOptions) => commit(appends, true, appendOptions),
    readStream: async (stream, from = 0, { recordedOnly = false } = {}) => {
      const found = from > 0 || recordedOnly ? await readRecorded([stream], {}, from) : await readStreams([stream])
      return found.get(stream) ?? []
    },
    readStreams,
  }
}

export interface EventRow {
  readonly stream: string
  readonly revision: string
  readonly id: string
  readonly type: string
  readonly data: object
  readonly meta: object
}

export const decodeRow = <Event>(codec: EventCodec<Event>, row: EventRow): Recorded<Event> => {
  const revision = Number(row.revision)
  const decoded = codec.decode(row)
  if (isLeft(decoded)) throw new EventDecodeError(row.stream, revision, decoded.left)
  return { stream: row.stream, revision, id: row.id, ...decoded.right }
}

const isInLane = ({ events }: StreamAppend<unknown>): boolean => events[0]?.context.lane !== undefined

const refuseEmpty = (appends: readonly StreamAppend<unknown>[]): void => {
  const empty = appends.find(append => append.events.length === 0)
  if (empty !== undefined) throw new Error(`nothing to append to '${empty.stream}': an append needs at least one event`)
  if (new Set(appends.map(append => append.stream)).size !== appends.length) {
    throw new Error('a stream stands twice in one append: put its events together')
  }
}
