import type { Pool } from 'pg'
import type { QueueStats } from '../../../application/ports/reading/stats.ts'

interface QueueRow {
  readonly queue: string
  readonly depth: number
  readonly visible: number
  readonly oldest_seconds: number | null
  readonly newest_seconds: number | null
  readonly total: number
  readonly first: string
  readonly strangers: number
}

/** What was last read of a queue. */
interface Seen {
  /** Null: the role may not read the queue. */
  readonly row: QueueRow | null
  /** Its table, and how often the table had changed by then, by the server's statistics. */
  readonly mark: string
  readonly at: number
}

interface Known {
  readonly queues: Map<string, Seen>
  /** Until then, the search for the first message begins at its last place; later at the beginning, for late commits. */
  firstUntil: number
}

const knownOf = new WeakMap<Pool, Known>()
const FROM_START_EVERY_MS = 60_000
/** Queues read in one transaction: each holds locks until its end, and all sessions share the memory for locks. */
const PORTION = 100

/**
 * The counts of every queue that can be read: exact for queues of some thousand messages, estimated for larger ones, so
 * that the cost is bounded. Of more than 100 queues, it reads those that have changed, then those read longest ago; the
 * others keep their last counts.
 *
 * @param pool of the primary: a standby has sequences up to 32 ahead of what was taken from them, and no statistics
 */
export const queueStats = async (pool: Pool): Promise<readonly QueueStats[]> => {
  const known = knownOf.get(pool) ?? { queues: new Map<string, Seen>(), firstUntil: 0 }
  knownOf.set(pool, known)
  const marks = await marksOf(pool)
  for (const queue of known.queues.keys()) if (!marks.has(queue)) known.queues.delete(queue)

  const isNew = (queue: string): boolean => !known.queues.has(queue)
  const hasChanged = (queue: string): boolean => known.queues.get(queue)?.mark !== marks.get(queue)
  const seenAt = (queue: string): number => known.queues.get(queue)?.at ?? 0
  const fresh = [...marks.keys()].filter(isNew)
  const others = [...marks.keys()]
    .filter(queue => !isNew(queue))
    .sort((one, other) => Number(hasChanged(other)) - Number(hasChanged(one)) || seenAt(one) - seenAt(other))
  const due = [...fresh, ...others.slice(0, Math.max(0, PORTION - fresh.length))]
  for (let from = 0; from < due.length; from += PORTION) {
    await readQueues(pool, known, marks, due.slice(from, from + PORTION))
  }
  const now = performance.now()
  return [...marks.keys()].flatMap(queue => {
    const { row = null, at = now } = known.queues.get(queue) ?? {}
    return row === null ? [] : [statsOf(row, (now - at) / 1000)]
  })
}

/** Takes no lock on any queue. */
const marksOf = async (pool: Pool): Promise<ReadonlyMap<string, string>> => {
  const { rows } = await pool.query<{ queue: string; mark: string }>(
    `select m.queue_name::text as queue, concat_ws(' ', c.oid, pg_stat_get_tuples_inserted(c.oid),
       pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid)) as mark
     from pgmq.meta m join pg_class c on c.relnamespace = 'pgmq'::regnamespace and c.relname = 'q_' || m.queue_name
     order by m.queue_name`,
  )
  return new Map(rows.map(({ queue, mark }) => [queue, mark]))
}

const readQueues = async (
  pool: Pool,
  known: Known,
  marks: ReadonlyMap<string, string>,
  queues: readonly string[],
): Promise<void> => {
  if (known.firstUntil < performance.now()) {
    known.firstUntil = performance.now() + FROM_START_EVERY_MS
    for (const [queue, seen] of known.queues)
      known.queues.set(queue, { ...seen, row: seen.row && { ...seen.row, first: '0' } })
  }
  const first = queues.flatMap(queue => {
    const row = known.queues.get(queue)?.row ?? null
    return row === null ? [] : [[queue, row.first] as const]
  })
  const { rows } = await pool.query<QueueRow>('select * from command_bus_queue_figures($1::text[], $2::jsonb)', [
    queues,
    JSON.stringify(Object.fromEntries(first)),
  ])
  const at = performance.now()
  const found = new Map(rows.map(row => [row.queue, row]))
  for (const queue of queues)
    known.queues.set(queue, { row: found.get(queue) ?? null, mark: marks.get(queue) ?? '', at })
}

const statsOf = (row: QueueRow, since: number): QueueStats => {
  const age = (seconds: number | null): number | null =>
    seconds === null ? null : Math.max(0, Math.round(seconds + since))
  return {
    queue: row.queue,
    depth: row.depth,
    visible: row.visible,
    oldestAgeSeconds: age(row.oldest_seconds),
    newestAgeSeconds: age(row.newest_seconds),
    total: row.total,
    strangers: row.strangers,
  }
}
