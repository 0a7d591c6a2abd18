import type { ClientBase } from 'pg'
import type { FeedPosition } from '../../../application/ports/event-feed.ts'

/** The place of an event in the log, whose order is (transaction, position). */
export interface LogPosition {
  readonly xid: string
  readonly position: string
}

export const startOfLog: LogPosition = { xid: '0', position: '0' }

export const positionText = ({ xid, position }: LogPosition): FeedPosition => `${xid}/${position}`

/** A position as text, for JavaScript and PostgreSQL. */
export const POSITION_PATTERN = '^([0-9]{1,20})/([0-9]{1,19})$'

const POSITION = new RegExp(POSITION_PATTERN)
const LAST: LogPosition = { xid: `${2n ** 64n - 1n}`, position: `${2n ** 63n - 1n}` }

/** Null for a text that is not a position of this log. */
export const parsePosition = (text: FeedPosition): LogPosition | null => {
  const [, xid, position] = POSITION.exec(text)?.map(withoutZeros) ?? []
  if (xid === undefined || position === undefined) return null
  const isInRange = compareDigits(xid, LAST.xid) <= 0 && compareDigits(position, LAST.position) <= 0
  return isInRange ? { xid, position } : null
}

const withoutZeros = (digits: string): string => digits.replace(/^0+(?=\d)/, '')

/** Parses a position that a reader has saved; null means the beginning of the log. */
export const keptPosition = (kept: FeedPosition | null): LogPosition => {
  const position = kept === null ? startOfLog : parsePosition(kept)
  if (position === null) throw new Error(`'${kept?.slice(0, 50)}' is not a valid feed position`)
  return position
}

/** Negative if `a` comes first. */
export const comparePositions = (a: LogPosition, b: LogPosition): number =>
  compareDigits(a.xid, b.xid) || compareDigits(a.position, b.position)

/** Compares numbers without leading zeros as text: the longer one is the larger. */
const compareDigits = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)

/** SQL: the oldest transaction that still runs. Events of older ones may be read: no event can appear before them now. */
export const OLDEST_RUNNING = 'pg_snapshot_xmin(pg_current_snapshot())'

/** SQL: whether the event `e` may be read. */
export const MAY_BE_READ = `e.xid < ${OLDEST_RUNNING}`

/** SQL: whether the event `e` comes after the position in $1 and $2. */
export const AFTER = '(e.xid, e.position) > ($1::xid8, $2::bigint)'

/** SQL: the next events `e` that may be read, in the order of the log. */
export const nextEvents = (columns: string, limit: number | string): string =>
  `select ${columns} from command_bus_event e where ${AFTER} and ${MAY_BE_READ} order by e.xid, e.position limit ${limit}`

/** The last event that may be read now; null where there is none. */
export const readHead = async (db: Pick<ClientBase, 'query'>): Promise<LogPosition | null> => {
  const { rows } = await db.query<LogPosition>(
    `select e.xid::text, e.position::text from command_bus_event e
     where ${MAY_BE_READ} order by e.xid desc, e.position desc limit 1`,
  )
  return rows[0] ?? null
}

/** Payloads can be large: a page holds at most this many bytes, compressed. */
const PAGE_BYTES = 16 * 1024 * 1024

interface PageShape {
  /** Columns of `x`, an event with the columns `inner`. */
  readonly columns: string
  /** Columns of `e`, an event. Default: `e.*`; other columns can be computed from neighbouring events. */
  readonly inner?: string
  readonly where: string
  readonly order: 'xid, position' | 'stream, revision'
  readonly limit?: number | undefined
}

/** SQL: the first events that meet a condition, up to `limit` and as many as fit into one page, but at least one. */
export const pageWithinBytes = ({ columns, inner = 'e.*', where, order, limit = 5_000 }: PageShape): string => {
  const orderOf = (alias: string): string => order.replaceAll(/\w+/g, column => `${alias}.${column}`)
  return `
    select ${columns}
    from (
      select ${inner}, sum(pg_column_size(e.data)) over (order by ${orderOf('e')} rows unbounded preceding)
                         - pg_column_size(e.data) as before
      from (select * from command_bus_event e where ${where} order by ${orderOf('e')} limit ${limit}) e) x
    where x.before < ${PAGE_BYTES}
    order by ${orderOf('x')}`
}

/** SQL: the first events that meet a condition, in the order of the log, each with its position. */
export const logPage = (where: string, limit?: number): string =>
  pageWithinBytes({
    columns: 'x.xid::text, x.position::text, x.stream, x.revision, x.id, x.type, x.data, x.meta, x.msg_id',
    where,
    order: 'xid, position',
    limit,
  })
