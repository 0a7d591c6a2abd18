import type { Pool } from 'pg'
import type {
  FigureBucket,
  FigureQueries,
  Outcomes,
  TypeFigures,
  TypesPage,
} from '../../../application/ports/reading/figures.ts'
import { NO_TENANT } from '../../../application/shared/scope.ts'
import { type Slot, spreadOf } from '../../../application/watching/quantile.ts'
import { instant } from '../connection/instant.ts'
import { conditions } from '../reading/conditions.ts'
import { perMinute, readWindow, type Window } from './counted.ts'

const MOST_TYPES = 500
const MOST_CODES = 5

const counts = ['sent', 'failed_attempts', 'completed', 'failed', 'parked', 'canceled'] as const
const sums = counts.map(name => `sum(f.${name})::float8 as "${name}"`).join(', ')

type Sums = Readonly<Record<(typeof counts)[number], number>>

const outcomesOf = ({ failed_attempts, ...row }: Sums): Outcomes => ({
  sent: row.sent,
  failedAttempts: failed_attempts,
  completed: row.completed,
  failed: row.failed,
  parked: row.parked,
  canceled: row.canceled,
})

interface Named {
  readonly domain: string
  readonly command_type: string
}

interface SumRow extends Named, Sums {
  readonly begun: number
}

interface OpenRow extends Named {
  readonly running: number
  readonly waiting: number
  readonly scheduled: number
  readonly since: string | null
}

const keyOf = ({ domain, command_type }: Named): string => `${domain}/${command_type}`

const byType = <Row extends Named>(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> => {
  const types = new Map<string, Row[]>()
  for (const row of rows) {
    const same = types.get(keyOf(row))
    if (same === undefined) types.set(keyOf(row), [row])
    else same.push(row)
  }
  return types
}

export const createTypeFigures =
  (pool: Pool): FigureQueries['types'] =>
  async ({ range, domain, commandType, tenantId }) => {
    const window = await readWindow(pool, range)
    if (tenantId !== undefined && tenantId !== NO_TENANT) return pageOf(window, nobodys)
    const named = () => {
      const filters = conditions()
      filters.add('f.domain = ?', domain)
      filters.add('f.command_type = ?', commandType)
      return filters
    }
    const ofFigures = () => {
      const filters = named()
      if (tenantId !== undefined) filters.add('f.of_tenant = ?::boolean', false)
      return filters
    }
    const ofRows = () => {
      const filters = named()
      if (tenantId !== undefined) filters.add('(f.tenant_id is not null) = ?::boolean', false)
      return filters
    }
    const counted = () => {
      const filters = ofFigures()
      filters.add('f.seconds = ?::int', window.bucketSeconds)
      filters.add('f.bucket >= ?::timestamptz', window.from)
      return filters
    }
    const spans = () => {
      const filters = ofFigures()
      const { seconds, from } = coarser(window)
      filters.add(
        '(f.seconds = ?::int and f.bucket >= ?::timestamptz or f.seconds = ?::int and f.bucket >= ?::timestamptz and f.bucket < ?::timestamptz)',
        ...[seconds, from, window.bucketSeconds, window.from, from],
      )
      return filters
    }
    const read = async <Row extends object>(text: (where: string) => string, filters = counted()) =>
      (await pool.query<Row>(text(filters.where()), filters.values)).rows

    const [all, series, slots, errors, successes, open] = await Promise.all([
      read<SumRow>(
        where => `select f.domain, f.command_type, sum(f.begun)::float8 as begun, ${sums}
                  from command_bus_type_figure f where ${where} group by f.domain, f.command_type`,
      ),
      read<Sums & { readonly at: string }>(
        where =>
          `select ${instant('f.bucket')} as at, ${sums} from command_bus_type_figure f where ${where} group by f.bucket`,
      ),
      read<Named & Slot & { readonly kind: 'wait' | 'run' }>(
        where => `select f.domain, f.command_type, x.kind, x.slot::int, sum(x.n)::float8 as count
                  from command_bus_type_figure f cross join lateral (
                    select 'wait' as kind, u.slot, u.n from unnest(f.waits) with ordinality u(n, slot)
                    union all select 'run', u.slot, u.n from unnest(f.runs) with ordinality u(n, slot)) x
                  where ${where} and x.n > 0 group by f.domain, f.command_type, x.kind, x.slot order by x.slot`,
        spans(),
      ),
      read<Named & { readonly code: string; readonly count: number }>(
        where => `select e.* from (
                    select f.domain, f.command_type, f.error_code as code, sum(f.failed_attempts + f.failed + f.parked)::float8 as count,
                      row_number() over (partition by f.domain, f.command_type
                        order by sum(f.failed_attempts + f.failed + f.parked) desc, f.error_code) as place
                    from command_bus_error_figure f where ${where} group by f.domain, f.command_type, f.error_code) e
                  where e.place <= ${MOST_CODES} order by e.place`,
      ),
      read<Named & { readonly at: string }>(where => {
        return `select f.domain, f.command_type, ${instant('max(f.succeeded_at)')} as at from command_bus_type_figure f
                where f.seconds = 7200 and f.succeeded_at is not null and ${where} group by f.domain, f.command_type`
      }, ofFigures()),
      read<OpenRow>(
        where => `select o.domain, o.command_type, o.running, o.waiting, o.scheduled, ${instant('o.due')} as since from (
                    select f.domain, f.command_type,
                      count(*) filter (where f.status = 'IN_PROGRESS')::float8 as running,
                      count(*) filter (where f.status = 'PENDING' and coalesce(f.next_attempt_at, f.run_at, f.created_at) <= now())::float8 as waiting,
                      count(*) filter (where f.status = 'PENDING' and coalesce(f.next_attempt_at, f.run_at, f.created_at) > now())::float8 as scheduled,
                      min(coalesce(f.next_attempt_at, f.run_at, f.created_at))
                        filter (where f.status = 'PENDING' and coalesce(f.next_attempt_at, f.run_at, f.created_at) <= now()) as due
                    from command_bus_command f where f.status in ('PENDING', 'IN_PROGRESS') and ${where}
                    group by f.domain, f.command_type) o`,
        ofRows(),
      ),
    ])
    return pageOf(window, { all, series, slots, errors, successes, open })
  }

/** Longer buckets that cover the range from `from` on: histograms of fewer buckets are added faster. */
const coarser = ({ bucketSeconds, from }: Window): { readonly seconds: number; readonly from: string } => {
  const seconds = bucketSeconds === 60 ? 900 : 7_200
  const length = seconds * 1_000
  return { seconds, from: new Date(Math.ceil(Date.parse(from) / length) * length).toISOString() }
}

interface Read {
  readonly all: readonly SumRow[]
  readonly series: readonly (Sums & { readonly at: string })[]
  readonly slots: readonly (Named & Slot & { readonly kind: 'wait' | 'run' })[]
  readonly errors: readonly (Named & { readonly code: string; readonly count: number })[]
  readonly successes: readonly (Named & { readonly at: string })[]
  readonly open: readonly OpenRow[]
}

const nobodys: Read = { all: [], series: [], slots: [], errors: [], successes: [], open: [] }

const nothing: Sums = { sent: 0, failed_attempts: 0, completed: 0, failed: 0, parked: 0, canceled: 0 }

const pageOf = (window: Window, read: Read): TypesPage => {
  const { minutes, buckets, ...page } = window
  const [slots, errors] = [byType(read.slots), byType(read.errors)]
  const successes = new Map(read.successes.map(row => [keyOf(row), row.at]))
  const open = new Map(read.open.map(row => [keyOf(row), row]))
  const known = new Map(read.all.map(row => [keyOf(row), row]))
  const items = [...new Map([...read.open, ...read.all].map(row => [keyOf(row), row])).values()].map(row => {
    const key = keyOf(row)
    const counted = known.get(key) ?? { ...row, ...nothing, begun: 0 }
    const now = open.get(key)
    const outcomes = outcomesOf(counted)
    const failures = outcomes.failedAttempts + outcomes.failed + outcomes.parked
    const ended = failures + outcomes.completed
    const slotsOf = (kind: 'wait' | 'run') => spreadOf((slots.get(key) ?? []).filter(slot => slot.kind === kind))
    return {
      domain: row.domain,
      commandType: row.command_type,
      ...outcomes,
      attempts: counted.begun,
      sentPerMinute: perMinute(outcomes.sent, minutes),
      failureShare: ended === 0 ? null : Math.round((failures / ended) * 10_000) / 10_000,
      wait: slotsOf('wait'),
      run: slotsOf('run'),
      errors: (errors.get(key) ?? []).map(({ code, count }) => ({ code, count })),
      lastSuccessAt: successes.get(key) ?? null,
      waiting: now?.waiting ?? 0,
      waitingSince: now?.since ?? null,
      scheduled: now?.scheduled ?? 0,
      running: now?.running ?? 0,
    }
  })
  return { ...page, series: seriesOf(buckets, read.series), items: busiest(items), total: items.length }
}

const busiest = (items: readonly TypeFigures[]): readonly TypeFigures[] => {
  const work = (item: TypeFigures): number => item.sent + item.attempts + item.waiting + item.running
  return items
    .toSorted((a, b) => work(b) - work(a) || (`${a.domain}/${a.commandType}` < `${b.domain}/${b.commandType}` ? -1 : 1))
    .slice(0, MOST_TYPES)
}

const seriesOf = (
  buckets: readonly string[],
  rows: readonly (Sums & { readonly at: string })[],
): readonly FigureBucket[] => {
  const at = new Map(rows.map(row => [row.at, row]))
  return buckets.map(bucket => ({ at: bucket, ...outcomesOf(at.get(bucket) ?? nothing) }))
}
