import type { Pool } from 'pg'
import { bucketsOf, type Counted, type FigureRange } from '../../../application/ports/reading/figures.ts'
import { instant } from '../connection/instant.ts'

export interface Window extends Counted {
  readonly range: FigureRange
  readonly from: string
  readonly bucketSeconds: number
  /** The length of the range so far. */
  readonly minutes: number
  /** Where each bucket begins, oldest first. */
  readonly buckets: readonly string[]
}

/** The moment by the database's clock, and how far counting is behind. */
export const readCounted = async (pool: Pool): Promise<Counted> => {
  const { rows } = await pool.query<{ now: string; behind: number | null }>(
    `select ${instant('now()')} as now, (
       select coalesce((
         select greatest(0, extract(epoch from now() - e.recorded))::float8 from command_bus_event e
         where (e.xid, e.position) > (split_part(c.position, '/', 1)::xid8, split_part(c.position, '/', 2)::bigint)
         order by e.xid, e.position limit 1), 0)
       from command_bus_checkpoint c where c.projection = 'figures') as behind`,
  )
  const { now = new Date().toISOString(), behind = null } = rows[0] ?? {}
  return { at: now, behindSeconds: behind === null ? null : Math.round(behind) }
}

/** The buckets of a range that ends now; the last one is under way. */
export const readWindow = async (pool: Pool, range: FigureRange): Promise<Window> => {
  const counted = await readCounted(pool)
  const { seconds, count } = bucketsOf[range]
  const now = Date.parse(counted.at)
  const length = seconds * 1_000
  // buckets begin at even hours of UTC, in PostgreSQL's date_bin too
  const last = Math.floor(now / length) * length
  const buckets = Array.from({ length: count }, (_, i) => new Date(last - (count - 1 - i) * length).toISOString())
  const from = buckets[0] as string
  return { ...counted, range, from, bucketSeconds: seconds, minutes: (now - Date.parse(from)) / 60_000, buckets }
}

export const perMinute = (count: number, minutes: number): number =>
  Math.round((count / Math.max(minutes, 1 / 60)) * 100) / 100
