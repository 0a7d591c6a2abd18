import type { Pool } from 'pg'
import type { FigureQueries, QueueBucket, QueueFigures } from '../../../application/ports/reading/figures.ts'
import type { QueueStats } from '../../../application/ports/reading/stats.ts'
import { instant } from '../connection/instant.ts'
import { domainOfCommandQueue, kindsOf } from '../queue/queue-kinds.ts'
import { queueStats } from '../queue/queue-stats.ts'
import { perMinute, readWindow, type Window } from './counted.ts'

interface Sample {
  readonly queue: string
  readonly at: string
  readonly depth: number
  readonly total: number
}

interface Now {
  readonly queue: string
  readonly in_flight: number
  readonly held: number
  readonly unread: number | null
}

/** The first sample of the range is the last one of before, if there was one. */
const readSamples = async (pool: Pool, window: Window, queue: string | undefined): Promise<readonly Sample[]> => {
  const { rows } = await pool.query<Sample>(
    `select s.queue, ${instant('s.bucket')} as at, s.depth::float8, s.total::float8 from pgmq.meta m
     cross join lateral (
       (select f.* from command_bus_queue_sample f where f.seconds = $1::int and f.queue = m.queue_name and f.bucket < $2::timestamptz
        order by f.bucket desc limit 1)
       union all
       (select f.* from command_bus_queue_sample f where f.seconds = $1::int and f.queue = m.queue_name and f.bucket >= $2::timestamptz
        order by f.bucket ${queue === undefined ? 'limit 1' : ''})) s
     where $3::text is null or m.queue_name = $3::text order by s.queue, s.bucket`,
    [window.bucketSeconds, window.from, queue ?? null],
  )
  return rows
}

/** What workers have, what lanes and pauses hold back, and since when nobody has read. */
const readNow = async (pool: Pool, queues: readonly string[]): Promise<ReadonlyMap<string, Now>> => {
  const { rows } = await pool.query<Now>(
    `select q.queue, coalesce(r.n, 0)::float8 as in_flight, (coalesce(l.n, 0) + coalesce(p.n, 0))::float8 as held,
       extract(epoch from now() - u.since)::float8 as unread
     from unnest($1::text[]) q(queue)
     left join (select c.queue_name as queue, count(*) as n from command_bus_command c where c.status = 'IN_PROGRESS' group by 1) r using (queue)
     left join (select e.queue, count(*) as n from command_bus_lane_entry e where e.state = 'waiting' group by 1) l using (queue)
     left join (select m.queue, count(*) as n from command_bus_paused_message m group by 1) p using (queue)
     left join command_bus_unread_since($2::text[]) u using (queue)`,
    [queues, queues.filter(queue => domainOfCommandQueue(queue) === null)],
  )
  return new Map(rows.map(row => [row.queue, row]))
}

export const createQueueFigures =
  (pool: Pool): FigureQueries['queues'] =>
  async ({ range, queue, tenantId }) => {
    const window = await readWindow(pool, range)
    const all = tenantId === undefined ? await queueStats(pool) : []
    const stats = all.filter(one => queue === undefined || one.queue === queue)
    const names = stats.map(one => one.queue)
    const [samples, now, kindOf] = await Promise.all([
      readSamples(pool, window, queue),
      readNow(pool, names),
      kindsOf(pool, names),
    ])
    const items = stats.map((one): QueueFigures => {
      const own = samples.filter(sample => sample.queue === one.queue)
      const { in_flight = 0, held = 0, unread = null } = now.get(one.queue) ?? {}
      const hidden = Math.max(0, one.depth - one.visible)
      const inFlight = Math.min(in_flight, hidden)
      return {
        queue: one.queue,
        kind: kindOf(one.queue),
        domain: domainOfCommandQueue(one.queue),
        ready: one.visible,
        inFlight,
        delayed: hidden - inFlight,
        held: Math.min(held, hidden - inFlight),
        depth: one.depth,
        ...flowOf(one, own[0], window),
        oldestAgeSeconds: one.oldestAgeSeconds,
        unreadSeconds: unread === null ? null : Math.max(0, Math.round(unread)),
        total: one.total,
        strangers: one.strangers,
      }
    })
    const { minutes: _, buckets, ...page } = window
    const series = queue === undefined || stats[0] === undefined ? [] : seriesOf(buckets, samples, stats[0])
    return { ...page, items: items.toSorted((a, b) => (a.queue < b.queue ? -1 : 1)), series }
  }

const flowOf = (
  now: QueueStats,
  then: Sample | undefined,
  { at, minutes, bucketSeconds }: Window,
): Pick<QueueFigures, 'change' | 'inPerMinute' | 'outPerMinute'> => {
  const unknown = { change: null, inPerMinute: null, outPerMinute: null }
  // a queue that was dropped and made again counts from the start
  if (then === undefined || then.total > now.total) return unknown
  // a sample is what was there at the end of its bucket
  const since = Math.min(minutes, (Date.parse(at) - Date.parse(then.at)) / 60_000 - bucketSeconds / 60)
  if (since <= 0) return unknown
  const came = now.total - then.total
  const change = now.depth - then.depth
  return {
    change,
    inPerMinute: perMinute(came, since),
    outPerMinute: perMinute(Math.max(0, came - change), since),
  }
}

/** Between two samples nothing has changed. */
const seriesOf = (buckets: readonly string[], samples: readonly Sample[], now: QueueStats): readonly QueueBucket[] => {
  let last: Pick<Sample, 'depth' | 'total'> | undefined = samples.find(({ at }) => at < (buckets[0] ?? ''))
  const byTime = new Map(samples.map(sample => [sample.at, sample]))
  return buckets.map((at, i) => {
    const seen = i === buckets.length - 1 ? now : byTime.get(at)
    const before = last
    last = seen ?? last
    if (last === undefined) return { at, depth: null, came: 0, went: 0 }
    const came = before === undefined ? 0 : Math.max(0, last.total - before.total)
    const change = before === undefined ? 0 : last.depth - before.depth
    return { at, depth: last.depth, came, went: Math.max(0, came - change) }
  })
}
