import type { ClientBase } from 'pg'
import type { EventCodec, StoredEvent } from '../../codec/event-codec.ts'
import { isMissingRelation, isOutage } from '../../postgres/connection/errors.ts'
import { inTransaction } from '../../postgres/connection/with-client.ts'
import { saveCheckpoint } from '../../postgres/log/checkpoint.ts'
import { type InlineProjections, queryOf } from '../../postgres/log/commit-plan.ts'
import { type CommitAnswer, commitStatement, planUnit } from '../../postgres/log/unit-of-work.ts'
import type { ReplyQueues } from '../../postgres/queue/reply-queues.ts'
import {
  type Arrived,
  FaultedError,
  type Mirror,
  type Mirrored,
  notYetMirrored,
  roundsOf,
  withKnownMessages,
} from './mirror-plan.ts'
import type { Applied } from './waiting.ts'

export interface MirrorOptions<Event> {
  readonly projection: string
  readonly codec: EventCodec<Event>
  readonly streamPrefix?: string
  readonly projections: InlineProjections<Event>
  readonly ensureQueues: (queues: ReadonlySet<string>, options?: { readonly forget: boolean }) => Promise<void>
  /** Makes reply queues. Without it the commit makes them, which costs a subtransaction. */
  readonly replyQueues?: Pick<ReplyQueues, 'ready' | 'failed'> | undefined
  /** Called after a commit with the queues that have new messages. */
  readonly onFilled: (queues: ReadonlySet<string>) => void
}

/**
 * Writes the log's mirror in PostgreSQL: events, rows, messages and checkpoint of a batch in one transaction. The caller must
 * hold the projection's lock on the same connection, so that there is only one writer.
 */
export const createMirror = <Event>({
  projection,
  codec,
  streamPrefix,
  projections,
  ensureQueues,
  replyQueues,
  onFilled,
}: MirrorOptions<Event>) => {
  const apply = async (client: ClientBase, batch: readonly Arrived<Event>[]): Promise<readonly Applied[]> => {
    const last = batch.at(-1)
    if (last === undefined) return []
    const mirror = await readMirror(client, batch)
    const fresh = notYetMirrored(batch, mirror)
    const raw = new Map<object, StoredEvent>(fresh.map(({ event, stored }) => [event.event as object, stored]))
    const asStored: EventCodec<Event> = {
      ...codec,
      encode: (event, context) => raw.get(event as object) ?? codec.encode(event, context),
    }
    const rounds = roundsOf(fresh, projections.effects)
    const messages = new Map([...mirror].map(([stream, events]) => [stream, messageIds(events)]))
    /** Message ids, by stream and revision of their event. */
    const given = new Map<string, string>()
    const plan = (round: (typeof rounds)[number]) =>
      planUnit(round, asStored, { ...projections, effects: withKnownMessages(projections.effects, messages) }, false)
    const planned = rounds.map(plan)
    const queues = new Set(planned.flatMap(unit => [...unit.queues]))
    const forReplies = new Set(planned.flatMap(unit => [...unit.replyQueues]))
    const ensure = async (options?: { readonly forget: boolean }): Promise<boolean> => {
      await ensureQueues(queues, options)
      return forReplies.size === 0 || ((await replyQueues?.ready(forReplies, options)) ?? false)
    }
    const shown = new Set<string>()
    const commit = (careful: boolean): Promise<void> =>
      inTransaction(client, async () => {
        shown.clear()
        for (const round of rounds) {
          const { unit, streamOf } = plan(round)
          const statement = commitStatement({
            ...unit,
            ...(careful ? { careful } : {}),
            // what is in the log stands: a message that a worker took meanwhile stays with it
            ...(unit.reschedules === undefined ? {} : { lenient: true }),
          })
          const { rows } = await client.query(queryOf({ statement }))
          const { lost, messages: sent, undelivered, shown: more = [] } = rows[0].answer as CommitAnswer
          for (const queue of more) shown.add(queue)
          if (undelivered.length > 0) replyQueues?.failed(undelivered)
          const [taken] = lost
          if (taken !== undefined) throw foreignWriter(taken, round)
          const numbered = round.flatMap(({ append, from }) =>
            append.events.map((_, i) => placeOf({ stream: append.stream, revision: from + i })),
          )
          for (const [event, msgId] of sent) {
            const stream = streamOf[event] as string
            given.set(numbered[event] as string, msgId)
            messages.set(stream, [...(messages.get(stream) ?? []), msgId])
          }
        }
        await saveCheckpoint(client, projection, last.event.position, streamPrefix)
      })
    const careful = !(await ensure())
    try {
      await commit(careful)
    } catch (error) {
      const mayBeReply = forReplies.size > 0 && !careful && !isOutage(error)
      if (!isMissingRelation(error) && !mayBeReply) throw error
      await ensure({ forget: true })
      await commit(forReplies.size > 0)
    }
    const filled = new Set([...planned.flatMap(unit => [...unit.filled]), ...shown])
    if (filled.size > 0) onFilled(filled)
    return batch.map(({ event: { stream, revision } }) => ({
      stream,
      revision,
      msgId: given.get(placeOf({ stream, revision })) ?? mirror.get(stream)?.get(revision)?.msgId ?? null,
    }))
  }
  return { apply }
}

const placeOf = ({ stream, revision }: { readonly stream: string; readonly revision: number }): string =>
  `${revision} ${stream}`

const foreignWriter = (
  stream: string,
  round: readonly { readonly append: { readonly stream: string }; readonly from: number }[],
): FaultedError => {
  const from = round.find(({ append }) => append.stream === stream)?.from ?? 0
  return new FaultedError(
    stream,
    from,
    'another program writes to the mirror in PostgreSQL: does a bus without EVENTSTORE_URL run on this database?',
  )
}

const messageIds = (events: ReadonlyMap<number, Mirrored>): readonly string[] =>
  [...events].sort(([a], [b]) => a - b).flatMap(([, { msgId }]) => msgId ?? [])

/** For each stream of the batch: mirrored events from just before its first one on, and all that queued a message. */
const readMirror = async (client: ClientBase, batch: readonly Arrived<unknown>[]): Promise<Mirror> => {
  const firsts = new Map<string, number>()
  for (const { event } of batch) if (!firsts.has(event.stream)) firsts.set(event.stream, event.revision)
  const { rows } = await client.query({
    name: 'command_bus_mirrored',
    text: `select e.stream, e.revision, e.id, e.msg_id from unnest($1::text[], $2::bigint[]) x(stream, first)
           join command_bus_event e on e.stream = x.stream collate "C"
           where e.revision >= x.first - 1 or e.msg_id is not null`,
    values: [[...firsts.keys()], [...firsts.values()]],
  })
  const mirror = new Map<string, Map<number, Mirrored>>()
  for (const row of rows) {
    const events = mirror.get(row.stream) ?? new Map<number, Mirrored>()
    mirror.set(row.stream, events.set(Number(row.revision), { id: row.id, msgId: row.msg_id }))
  }
  return mirror
}

/** Whether the mirror has events of a stream. */
export const isMirrored = async (client: ClientBase, stream: string): Promise<boolean> => {
  const { rows } = await client.query(
    'select from command_bus_event e where e.stream = $1::text collate "C" and e.revision = 0',
    [stream],
  )
  return rows.length > 0
}
