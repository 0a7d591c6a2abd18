import type { ClientBase, Pool } from 'pg'
import { queueStats } from '../queue/queue-stats.ts'

type Querier = Pick<ClientBase, 'query'>

/** Counts the next events of the log into the figures, in one transaction with the position; true: there may be more at once. */
export const countFigures = async (db: Querier, most: number): Promise<boolean> => {
  const { rows } = await db.query<{ more: boolean }>('select more from command_bus_count_figures($1::int)', [most])
  return rows[0]?.more ?? false
}

/** SQL: the lengths of buckets, in seconds, and how long they are kept. The same in command_bus_count_figures. */
const LENGTHS = `(values (60, interval '1 day'), (900, interval '7 days'), (7200, interval '7 days')) l(seconds, keep)`

/**
 * Deletes what is over. Of each queue the newest sample of before stays: the count of its messages goes on from there.
 * A bucket is kept until its last moment is over.
 */
export const forgetFigures = async (db: Querier): Promise<void> => {
  const over = (table: string): string =>
    `delete from ${table} f using ${LENGTHS}
     where f.seconds = l.seconds and f.bucket < now() - l.keep - make_interval(secs => l.seconds)`
  await db.query(over('command_bus_type_figure'))
  await db.query(over('command_bus_error_figure'))
  await db.query(
    `${over('command_bus_queue_sample')} and (
       not exists (select from pgmq.meta m where m.queue_name = f.queue)
       or exists (select from command_bus_queue_sample n where n.seconds = f.seconds and n.queue = f.queue and n.bucket > f.bucket
         and n.bucket < now() - l.keep - make_interval(secs => l.seconds)))`,
  )
}

/** Notes how many messages each queue has and ever had, for those that have changed since the last sample. */
export const sampleQueues = async (pool: Pool, db: Querier): Promise<void> => {
  const queues = await queueStats(pool)
  if (queues.length === 0) return
  await db.query(
    `insert into command_bus_queue_sample as s (seconds, bucket, queue, depth, total)
     select l.seconds, date_bin(make_interval(secs => l.seconds), now(), '2000-01-01Z'), q.queue, q.depth, q.total
     from unnest($1::text[], $2::bigint[], $3::bigint[]) q(queue, depth, total)
     cross join ${LENGTHS}
     left join lateral (
       select n.depth, n.total from command_bus_queue_sample n where n.seconds = l.seconds and n.queue = q.queue
       order by n.bucket desc limit 1) newest on true
     where (newest.depth, newest.total) is distinct from (q.depth, q.total)
     on conflict (seconds, queue, bucket) do update set depth = excluded.depth, total = excluded.total`,
    [queues.map(({ queue }) => queue), queues.map(({ depth }) => Math.round(depth)), queues.map(({ total }) => total)],
  )
}
