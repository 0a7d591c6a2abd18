import type { Pool } from 'pg'
import type { CauseFilter } from '../../../application/ports/reading/explain.ts'
import { conditions } from '../reading/conditions.ts'
import { type Slice, thinned } from './thin-out.ts'

export interface KeyRow {
  readonly commandId: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** In milliseconds since 1970. */
export interface Period {
  readonly since: number
  readonly until: number
}

/** So many commands of a period are all looked at; beyond that, parts of them. */
const READ_WHOLE = 30_000
/** Bytes of a sample of the whole table: some 40,000 rows. */
const TABLE_SAMPLE = 16 * 1024 * 1024
/** SQL: of how much of the table that is, in percent. */
export const PART_OF_TABLE = `(select least(100, 100.0 * ${TABLE_SAMPLE} / greatest(pg_relation_size('command_bus_command'), 1)))`
/** So few of a sample mean that the period is a small part of a large table. */
const TOO_FEW = 1_000
/** Then the period is cut into slices, and of each the first commands are read. */
const SLICES = 100
const MOST_OF_A_SLICE = 250

export const MILLIS = '(extract(epoch from c.created_at) * 1000)::float8'

/**
 * Succeeded commands of the type of a cause, oldest first, at most `most`: spread over the period as all of them are, because
 * otherwise busy times would look like a cause.
 */
export const readSucceeded = async (
  pool: Pool,
  cause: CauseFilter,
  period: Period,
  most: number,
): Promise<readonly KeyRow[]> => {
  const [all, sampled] = await Promise.all([
    readWhole(pool, cause, period, most),
    readOfTable(pool, cause, period, most),
  ])
  if (all !== null) return all
  if (sampled.length >= Math.min(most, TOO_FEW)) return sampled
  const sliced = thinned(slicesOf(await readSlices(pool, cause, period)), most)
  return sliced.length > sampled.length ? sliced : sampled
}

/** Commands that failed like this and succeeded later are neither failed nor succeeded. */
const succeededOf = (cause: CauseFilter) => {
  const filters = conditions()
  filters.add("c.status = 'COMPLETED'")
  filters.add('c.command_type = ?', cause.commandType)
  filters.add('c.last_error_code is distinct from ?', cause.errorCode)
  filters.tenant(cause.tenantId)
  const where = filters.where()
  /** Further parameters, after those of the condition. */
  const parameters = (...values: readonly unknown[]) => values.map(value => `$${filters.values.push(value)}`)
  return { where, values: filters.values, parameters }
}

const within = (since: string | undefined, until: string | undefined): string =>
  `c.created_at >= to_timestamp(${since}::float8 / 1000) and c.created_at <= to_timestamp(${until}::float8 / 1000)`

/** SQL: at most so many of the rows of `c`, at even distances. */
const evenly = (most: number): string => `
  select n."commandId", n.at from (
    select c.command_id as "commandId", ${MILLIS} as at,
           row_number() over (order by c.created_at, c.command_id) as place, greatest(count(*) over (), ${most}) as total
    from c) n
  where n.place * ${most} / n.total > (n.place - 1) * ${most} / n.total
  order by n.place`

const COLUMNS = 'c.command_id, c.command_type, c.status, c.tenant_id, c.last_error_code, c.created_at'

/** Null: there are too many commands in the period. */
const readWhole = async (
  pool: Pool,
  cause: CauseFilter,
  period: Period,
  most: number,
): Promise<readonly KeyRow[] | null> => {
  const { where, values, parameters } = succeededOf(cause)
  const [domain, since, until] = parameters(cause.domain, period.since, period.until)
  const { rows } = await pool.query<KeyRow & { readonly isWhole: boolean }>(
    // they are counted in the index alone
    `with period as materialized (
       select count(*) <= ${READ_WHOLE} as is_whole from (
         select from command_bus_command c where c.domain = ${domain} and ${within(since, until)} limit ${READ_WHOLE + 1}) c),
     c as materialized (
       select ${COLUMNS} from command_bus_command c
       where (select is_whole from period) and c.domain = ${domain} and ${within(since, until)} and ${where})
     select s.*, p.is_whole as "isWhole" from period p left join (${evenly(most)}) s on true`,
    values,
  )
  if (rows[0]?.isWhole !== true) return null
  return rows.filter(({ commandId }) => commandId !== null)
}

/** Of pages all over the table, as many as have about so many rows. */
const readOfTable = async (
  pool: Pool,
  cause: CauseFilter,
  period: Period,
  most: number,
): Promise<readonly KeyRow[]> => {
  const { where, values, parameters } = succeededOf(cause)
  const [domain, since, until] = parameters(cause.domain, period.since, period.until)
  const { rows } = await pool.query<KeyRow>(
    `with c as materialized (
       select ${COLUMNS} from command_bus_command c
       tablesample system (${PART_OF_TABLE}) repeatable (1)
       where c.domain = ${domain} and ${within(since, until)} and ${where})
     ${evenly(most)}`,
    values,
  )
  return rows
}

interface SliceRow extends KeyRow {
  readonly slice: number
  readonly rows: number
  readonly lengthMs: number
  readonly spanMs: number
}

const readSlices = async (pool: Pool, cause: CauseFilter, period: Period): Promise<readonly SliceRow[]> => {
  const { where, values, parameters } = succeededOf(cause)
  const [domain, since, until] = parameters(cause.domain, period.since, period.until)
  const { rows } = await pool.query<SliceRow>(
    `with bounds as (
       select to_timestamp(${since}::float8 / 1000) as since, least(to_timestamp(${until}::float8 / 1000), now()) as until),
     slices as (
       select n, b.since + (b.until - b.since) * n / ${SLICES} as since, b.since + (b.until - b.since) * (n + 1) / ${SLICES} as until
       from bounds b cross join generate_series(0, ${SLICES - 1}) n),
     c as materialized (
       select s.n, s.since, s.until, count(*) over w as rows, max(c.created_at) over w as last, c.*
       from slices s cross join lateral (
         select ${COLUMNS} from command_bus_command c
         where c.domain = ${domain} and c.created_at >= s.since and c.created_at < s.until
         order by c.created_at, c.command_id limit ${MOST_OF_A_SLICE}) c
       window w as (partition by s.n))
     select c.command_id as "commandId", ${MILLIS} as at, c.n as slice, c.rows::int as rows,
            (extract(epoch from c.until - c.since) * 1000)::float8 as "lengthMs",
            (extract(epoch from c.last - c.since) * 1000)::float8 as "spanMs"
     from c where ${where} order by c.n, c.created_at, c.command_id`,
    values,
  )
  return rows
}

/** A slice of which not all was read has as many more commands as its time is longer than what was read. */
const slicesOf = (rows: readonly SliceRow[]): readonly Slice<KeyRow>[] => {
  const slices = new Map<number, { items: KeyRow[]; factor: number }>()
  for (const { commandId, at, slice, rows: read, lengthMs, spanMs } of rows) {
    const own = slices.get(slice) ?? {
      items: [],
      factor: read < MOST_OF_A_SLICE || spanMs <= 0 ? 1 : Math.max(1, lengthMs / spanMs),
    }
    own.items.push({ commandId, at })
    slices.set(slice, own)
  }
  return [...slices.values()].map(({ items, factor }) => ({ items, estimate: items.length * factor }))
}
