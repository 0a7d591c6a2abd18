import type { Pool } from 'pg'
import type {
  CauseCourse,
  FailureCause,
  FigureQueries,
  TypeCourse,
} from '../../../application/ports/reading/figures.ts'
import { cutMessage } from '../../../application/shared/cut-json.ts'
import { NO_TENANT } from '../../../application/shared/scope.ts'
import { instant } from '../connection/instant.ts'
import { tenantIs } from '../reading/conditions.ts'
import { readCounted } from './counted.ts'

const MOST_CAUSES = 500
const MINUTES = 60
const QUARTERS = 96
const PARTS = 12
const PART_SECONDS = 300

const names = 'domain, command_type, error_code'
const FAILURES = 'f.failed_attempts + f.failed + f.parked'
/** SQL: the beginning of the minute that is under way. */
const THIS_MINUTE = "date_trunc('minute', now())"

const PARKED = `command_bus_command c where c.status = 'IN_TROUBLESHOOTING_QUEUE' and ${tenantIs('$1', 'c.tenant_id')}`

/** SQL: not snoozed. */
const AWAKE = 'coalesce(c.snoozed_until <= now(), true)'

/** SQL: those figures of errors that may be seen: of commands without a tenant, or of all. */
const ERRORS = `(select * from command_bus_error_figure where $1::text is null or $1::text = '${NO_TENANT}' and not of_tenant) f`

const bucketOf = (seconds: number, time: string): string => `date_bin('${seconds} seconds', ${time}, '2000-01-01Z')`

/** SQL: failures in the last buckets of a length. Of one tenant, only the commands that are parked now are known. */
const recent = (tenantId: string | undefined, seconds: 60 | 900, count: number): string => {
  const since = `${bucketOf(seconds, 'now()')} - interval '${seconds * (count - 1)} seconds'`
  return isCounted(tenantId)
    ? `select ${names}, f.bucket, (${FAILURES})::float8 as n from ${ERRORS} where f.seconds = ${seconds} and f.bucket >= ${since}`
    : `select c.domain, c.command_type, c.last_error_code as error_code, ${bucketOf(seconds, 'c.parked_at')} as bucket, 1::float8 as n
       from ${PARKED} and c.parked_at >= ${since}`
}

/** One tenant has no figures of its own. */
const isCounted = (tenantId: string | undefined): boolean => tenantId === undefined || tenantId === NO_TENANT

/** SQL: each cause, with what is parked now and what was counted in seven days. */
const causes = (tenantId: string | undefined): string => `
  with now_parked as (
    select c.domain, c.command_type, c.last_error_code as error_code, count(*)::float8 as parked, min(c.parked_at) as first_at, max(c.parked_at) as last_at
    from ${PARKED} and ${AWAKE} group by 1, 2, 3
  ), week as (
    select ${names}, sum(f.failed)::float8 as failed, min(f.first_at) as first_at, max(f.last_at) as last_at
    from ${ERRORS} where f.seconds = 7200 group by ${names}
  ), parts as (
    select ${names}, floor(extract(epoch from ${THIS_MINUTE} - bucket) / ${PART_SECONDS})::int as part,
      sum(n) as n, coalesce(sum(n) filter (where bucket > ${THIS_MINUTE} - interval '15 minutes'), 0) as n15
    from (${recent(tenantId, 60, MINUTES)}) r group by ${names}, part
  ), hour as (
    select ${names}, sum(n) as n60, sum(n15) as n15, jsonb_object_agg(part, n) as parts from parts group by ${names}
  )
  select ${names}, coalesce(p.parked, 0) as parked, coalesce(w.failed, 0) as failed, p.last_at as newest,
    least(p.first_at, w.first_at) as first_at, greatest(p.last_at, w.last_at) as last_at,
    coalesce(h.n15, 0) as n15, coalesce(h.n60, 0) as n60, coalesce(h.parts, '{}') as parts,
    coalesce(least(p.first_at, w.first_at) > now() - interval '1 hour' and w.first_at is not null
      and exists (select from command_bus_type_figure t where t.seconds = 900 and t.bucket <= w.first_at - interval '1 hour'), false) as is_new
  from now_parked p full join week w using (${names}) full join hour h using (${names})
  where p.parked > 0 or w.failed > 0 or h.n60 > 0`

interface CauseRow {
  readonly domain: string
  readonly command_type: string
  readonly error_code: string
  readonly parked: number
  readonly failed: number
  readonly first: string
  readonly last: string
  readonly n15: number
  readonly n60: number
  readonly parts: Readonly<Record<string, number>>
  readonly is_new: boolean
  readonly sample: string | null
  readonly total: number
}

const namedOf = (row: Pick<CauseRow, 'domain' | 'command_type' | 'error_code'>) => ({
  domain: row.domain,
  commandType: row.command_type,
  errorCode: row.error_code,
})

const readCauses = async (pool: Pool, tenantId: string | undefined): Promise<readonly CauseRow[]> => {
  const { rows } = await pool.query<CauseRow>(
    `select x.domain, x.command_type, x.error_code, x.parked, x.failed, x.n15, x.n60, x.parts, x.is_new, x.total,
       ${instant('coalesce(x.first_at, now())')} as first, ${instant('coalesce(x.last_at, now())')} as last, sample.last_error_msg as sample from (
       select c.*, count(*) over ()::int as total from (${causes(tenantId)}) c
       order by c.n15 desc, c.parked desc, c.n60 desc, c.failed desc, c.domain, c.command_type, c.error_code limit ${MOST_CAUSES}) x
     left join lateral (
       select c.last_error_msg from ${PARKED} and ${AWAKE} and c.domain = x.domain and c.command_type = x.command_type
         and c.last_error_code = x.error_code and c.parked_at = x.newest order by c.command_id desc limit 1) sample on true
     order by x.n15 desc, x.parked desc, x.n60 desc, x.failed desc, x.domain, x.command_type, x.error_code`,
    [tenantId ?? null],
  )
  return rows
}

export const createCauseFigures = (pool: Pool): Pick<FigureQueries, 'causes' | 'courses'> => ({
  causes: async ({ tenantId }) => {
    const [counted, rows] = await Promise.all([readCounted(pool), readCauses(pool, tenantId)])
    const items = rows.map(
      (row): FailureCause => ({
        ...namedOf(row),
        parked: row.parked,
        failed: row.failed,
        first: row.first,
        last: row.last,
        last15m: row.n15,
        last1h: row.n60,
        series: Array.from({ length: PARTS }, (_, i) => row.parts[PARTS - 1 - i] ?? 0),
        isNew: row.is_new,
        sample: row.sample === null ? null : cutMessage(row.sample),
      }),
    )
    return { ...counted, items, total: rows[0]?.total ?? 0 }
  },

  courses: async ({ tenantId }) => {
    const [counted, rows, minutes, quarters, types] = await Promise.all([
      readCounted(pool),
      readCauses(pool, tenantId),
      readCourse(pool, tenantId, 60, MINUTES),
      readCourse(pool, tenantId, 900, QUARTERS),
      isCounted(tenantId) ? readTypes(pool, tenantId) : null,
    ])
    const course = (found: Course, row: CauseRow, length: number): readonly number[] => {
      const own = found.get(keyOf(row))
      return Array.from({ length }, (_, i) => own?.[length - 1 - i] ?? 0)
    }
    return {
      ...counted,
      ...(isCounted(tenantId) ? {} : { behindSeconds: 0 }),
      types,
      parked: rows.reduce((sum, { parked }) => sum + parked, 0),
      causes: rows.map(
        (row): CauseCourse => ({
          ...namedOf(row),
          parked: row.parked,
          failed: row.failed,
          first: row.first,
          last: row.last,
          isNew: row.is_new,
          minutes: course(minutes, row, MINUTES),
          quarters: course(quarters, row, QUARTERS),
        }),
      ),
    }
  },
})

/** Failures of a cause by how many buckets ago. */
type Course = ReadonlyMap<string, Readonly<Record<string, number>>>

const keyOf = (row: Pick<CauseRow, 'domain' | 'command_type' | 'error_code'>): string =>
  JSON.stringify([row.domain, row.command_type, row.error_code])

/** Of causes that failed in the last 15 minutes: the others are no problem now. */
const readCourse = async (
  pool: Pool,
  tenantId: string | undefined,
  seconds: 60 | 900,
  count: number,
): Promise<Course> => {
  const { rows } = await pool.query(
    `with active as (select distinct ${names} from (${recent(tenantId, 60, 15)}) a)
     select ${names}, jsonb_object_agg(ago, n) as counts from (
       select ${names}, (extract(epoch from ${bucketOf(seconds, 'now()')} - r.bucket) / ${seconds})::int as ago, sum(r.n) as n
       from (${recent(tenantId, seconds, count)}) r join active using (${names}) group by ${names}, ago) c
     group by ${names}`,
    [tenantId ?? null],
  )
  return new Map(rows.map(row => [keyOf(row), row.counts]))
}

const readTypes = async (pool: Pool, tenantId: string | undefined): Promise<readonly TypeCourse[]> => {
  const { rows } = await pool.query(
    `select f.domain, f.command_type as "commandType", sum(f.completed) filter (where f.seconds = 60)::float8 as completed,
       sum(${FAILURES}) filter (where f.seconds = 60)::float8 as failures, ${instant('max(f.succeeded_at)')} as "lastSuccessAt"
     from command_bus_type_figure f
     where (f.seconds = 60 and f.bucket > ${THIS_MINUTE} - interval '15 minutes' or f.seconds = 7200 and f.succeeded_at is not null)
       and ($1::text is null or not f.of_tenant)
     group by f.domain, f.command_type
     having bool_or(f.seconds = 60)`,
    [tenantId ?? null],
  )
  return rows
}
