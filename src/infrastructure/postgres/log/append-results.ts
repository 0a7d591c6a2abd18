import type { ClientBase } from 'pg'
import type { AppendResult, StreamAppend } from '../../../application/ports/event-store.ts'
import type { Outcomes, SettledAppend } from './commit-plan.ts'

type Querier = Pick<ClientBase, 'query'>

/** Replaces `any` by the current revision; the append can still lose a race. */
export const settle = async <Event>(
  querier: Querier,
  appends: readonly StreamAppend<Event>[],
): Promise<readonly SettledAppend<Event>[]> => {
  const open = appends.filter(append => append.expected === 'any').map(append => append.stream)
  const heads = new Map<string, number>()
  if (open.length > 0) {
    const { rows } = await querier.query(
      'select stream, max(revision) as head from command_bus_streams($1::text[], 0) group by stream',
      [open],
    )
    for (const row of rows) heads.set(row.stream, Number(row.head))
  }
  return appends.map(append => {
    const { expected } = append
    const last = expected === 'none' ? -1 : expected === 'any' ? (heads.get(append.stream) ?? -1) : expected
    return { append, from: last + 1 }
  })
}

/** An append that lost to events with the same ids lost to its own earlier try: it counts as a success. */
export const resultsOf = async <Event>(
  querier: Querier,
  settled: readonly SettledAppend<Event>[],
  { messages, lost: losers }: Outcomes,
  atomic: boolean,
): Promise<readonly AppendResult[]> => {
  const lost = new Set(losers)
  const own = lost.size === 0 ? new Map<string, string | null>() : await ownEarlierTries(querier, settled, lost)
  if (atomic && own.size === settled.length) lost.clear()
  const appended = (append: StreamAppend<Event>, from: number, msgId: string | null): AppendResult => ({
    outcome: 'appended',
    stream: append.stream,
    revision: from + append.events.length - 1,
    msgId,
  })
  return settled.map(({ append, from }): AppendResult => {
    const { stream } = append
    if (own.has(stream)) return appended(append, from, own.get(stream) ?? null)
    if (lost.has(stream)) return { outcome: 'conflict', stream }
    if (atomic && lost.size > 0) return { outcome: 'not-tried', stream }
    return appended(append, from, messages.get(stream) ?? null)
  })
}

const ownEarlierTries = async <Event>(
  querier: Querier,
  settled: readonly SettledAppend<Event>[],
  lost: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string | null>> => {
  const losers = settled.filter(({ append }) => lost.has(append.stream))
  const { rows } = await querier.query(
    `select e.stream, e.revision, e.id, e.msg_id from unnest($1::text[], $2::bigint[]) x(stream, revision)
     join command_bus_streams($1::text[], 0) e on e.stream = x.stream and e.revision >= x.revision`,
    [losers.map(({ append }) => append.stream), losers.map(({ from }) => from)],
  )
  const there = new Map(rows.map(row => [`${row.stream}@${row.revision}`, row]))
  const own = new Map<string, string | null>()
  for (const { append, from } of losers) {
    const found = append.events.map((_, i) => there.get(`${append.stream}@${from + i}`))
    if (append.events.every(({ id }, i) => found[i]?.id === id)) {
      own.set(append.stream, found.findLast(row => row?.msg_id)?.msg_id ?? null)
    }
  }
  return own
}
