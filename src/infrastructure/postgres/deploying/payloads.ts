import type { Pool } from 'pg'
import type { OpenType, PayloadFilter, Payloads, StoredPayload } from '../../../application/ports/deploying.ts'
import { streamOf } from '../log/command-streams.ts'

const PAGE = 5_000
/** As they are stored. */
const PAGE_BYTES = 8 * 1024 * 1024

interface Row extends StoredPayload {
  /** Its history is archived. */
  readonly isGone: boolean
  readonly createdAt: string
}

/** Each part by an index that has its commands in the order of their sending. None is in two of them. */
const RECENT = 'c.created_at >= $3::timestamptz'
const openBefore = (status: string): string => `c.status = '${status}' and c.created_at < $3::timestamptz`

const parts: readonly string[] = [
  RECENT,
  openBefore('PENDING'),
  openBefore('IN_PROGRESS'),
  openBefore('IN_TROUBLESHOOTING_QUEUE'),
]

const KIND = `case when c.status in ('PENDING', 'IN_PROGRESS') then 'waiting'
                   when c.status = 'IN_TROUBLESHOOTING_QUEUE' then 'parked' else 'past' end`

/** SQL: the next payloads of a part, as many as fit into one page, but at least one. */
const page = (where: string): string => `
  select x."commandType", x."commandId", x.kind, x."isGone", x."createdAt", x.data
  from (
    select c.command_type as "commandType", c.command_id as "commandId", c.kind, e.stream is null as "isGone",
           to_char(c.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt", e.data->'data' as data,
           c.created_at, sum(coalesce(pg_column_size(e.data), 0)) over w - coalesce(pg_column_size(e.data), 0) as before
    from (
      select c.domain, c.command_type, c.command_id, c.created_at, c.data_revision, ${KIND} as kind
      from command_bus_command c
      where c.domain = $1 and ($2::text[] is null or c.command_type = any ($2::text[])) and ${where}
        and ($4::timestamptz is null or (c.created_at, c.command_id) > ($4::timestamptz, $5::uuid))
      order by c.created_at, c.command_id limit ${PAGE}) c
    left join command_bus_event e on e.stream = ${streamOf('c')} and e.revision = c.data_revision
    window w as (order by c.created_at, c.command_id rows unbounded preceding)) x
  where x.before < ${PAGE_BYTES}
  order by x.created_at, x."commandId"`

/** Reads payloads from the events in this database, wherever the log is. Memory does not grow with their number. */
export const createPayloads = (pool: Pool): Payloads => ({
  pages: async function* (filter) {
    for (const part of parts) yield* pagesOf(pool, filter, page(part))
  },

  openTypes: async domains => {
    const { rows } = await pool.query<OpenType>(
      `select c.domain, c.command_type as "commandType",
              count(*) filter (where c.status <> 'IN_TROUBLESHOOTING_QUEUE')::float8 as waiting,
              count(*) filter (where c.status = 'IN_TROUBLESHOOTING_QUEUE')::float8 as parked
       from command_bus_command c
       where c.domain = any ($1::text[]) and c.status in ('PENDING', 'IN_PROGRESS', 'IN_TROUBLESHOOTING_QUEUE')
       group by 1, 2 order by 1, 2`,
      [domains],
    )
    return rows
  },
})

async function* pagesOf(
  pool: Pool,
  { domain, commandTypes, since }: PayloadFilter,
  sql: string,
): AsyncGenerator<readonly StoredPayload[]> {
  const read = async (last: Row | undefined): Promise<readonly Row[]> =>
    (await pool.query<Row>(sql, [domain, commandTypes, since, last?.createdAt ?? null, last?.commandId ?? null])).rows
  let rows = await read(undefined)
  while (rows.length > 0) {
    // the server reads the next page while this one is looked at
    const next = read(rows.at(-1))
    next.catch(() => {})
    yield rows.filter(({ isGone }) => !isGone)
    rows = await next
  }
}
