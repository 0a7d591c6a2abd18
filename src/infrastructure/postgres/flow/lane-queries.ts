import type { Pool } from 'pg'
import { MAX_LANE } from '../../../application/flow/lane-input.ts'
import type { Lane, LaneQueries, Limit } from '../../../application/ports/reading/lane-queries.ts'
import { instant } from '../connection/instant.ts'
import { tenantIs } from '../reading/conditions.ts'
import { DEFAULT_LIMIT, invalidCursor } from '../reading/cursor.ts'

/** The most commands of a lane that are looked at in each state, so that a list is fast whatever waits. */
const MOST_COUNTED = 1_000
const MOST_NAMED = 100
const MOST_LIMITS = 1_000

const entriesOf = (state: string): string => `
  (select e.domain, e.command_id, e.state, e.place, e.since from command_bus_lane_entry e
   where e.domain = l.domain and e.lane = l.lane and e.state = '${state}' order by e.place limit ${MOST_COUNTED})`

/** SQL: whether the caller may see a command. */
const OWN = `(c.domain is not null and ${tenantIs('$1', 'c.tenant_id')})`
const RETRIES = `(x.state = 'admitted' and coalesce(c.next_attempt_at > clock_timestamp(), false))`

const HOLDERS = `
  from (${entriesOf('admitted')} union all ${entriesOf('parked')}) x
  left join command_bus_command c on c.domain = x.domain and c.command_id = x.command_id`

/** Without room, and nothing runs that would make room. */
const IS_BLOCKED = '(l.running_now = 0 and coalesce(l.held >= r.width, false))'

/** SQL: what is shown of lanes. $1: the tenant whose commands are shown. The cheap condition comes first. */
const shown = (isScoped: boolean, blocked?: boolean): string => `
  select l.domain, l.lane, r.width, r.rate, r.on_park, k.limit_name, coalesce(l.running, '{}') as running, w.waiting,
    ${instant('w.since')} as waiting_since, b.command_id as blocked_by, ${instant('b.since')} as blocked_since, b.why
  from (
    select l.domain, l.lane, h.* from lanes l
    cross join lateral (
      select count(*) as held,
        count(*) filter (where x.state = 'admitted' and not ${RETRIES}) as running_now,
        array_agg(x.command_id::text order by x.place) filter (where x.state = 'admitted' and not ${RETRIES} and ${OWN}) as running,
        count(*) filter (where ${OWN}) as own
      ${HOLDERS}) h
    ${blocked === true ? 'where h.running_now = 0 and h.held > 0' : ''} offset 0) l
  cross join lateral (select command_bus_lane_limit(l.domain, l.lane) as limit_name) k
  cross join lateral command_bus_lane_rule(l.domain, l.lane, k.limit_name) r
  cross join lateral (
    select count(*)::int as waiting, min(x.since) as since from ${entriesOf('waiting')} x
    ${isScoped ? `join command_bus_command c on c.domain = x.domain and c.command_id = x.command_id and ${OWN}` : ''}) w
  left join lateral (
    select case when ${OWN} then x.command_id end as command_id,
      case x.state when 'parked' then x.since else c.updated_at end as since,
      case x.state when 'parked' then 'PARKED' else 'RETRY' end as why
    ${HOLDERS} order by x.state desc, x.place limit 1) b on ${IS_BLOCKED}
  where ${blocked === undefined ? 'true' : blocked ? IS_BLOCKED : `not ${IS_BLOCKED}`}`

const isSeen = '(l.own > 0 or w.waiting > 0)'

/** SQL: the first lane after `after` that has commands or settings: each of two index lookups. */
const nextLane = (after: string, inDomain: string): string => `
  select u.domain, u.lane from (
    (select e.domain, e.lane from command_bus_lane_entry e where (e.domain, e.lane) > ${after} ${inDomain.replaceAll('?', 'e')}
     order by e.domain, e.lane limit 1)
    union all
    (select s.domain, s.lane from command_bus_lane s where s.removed_at is null and (s.domain, s.lane) > ${after} ${inDomain.replaceAll('?', 's')}
     order by s.domain, s.lane limit 1)) u
  order by u.domain, u.lane limit 1`

/** $2 and $3: the lane before; $4: the domain. */
const listSql = (isScoped: boolean, hasDomain: boolean, blocked: boolean | undefined): string => {
  const inDomain = hasDomain ? 'and ?.domain = $4' : ''
  return `
    with recursive lanes as (
      select f.domain, f.lane from (${nextLane('($2::text collate "C", $3::text collate "C")', inDomain)}) f
      union all
      select n.domain, n.lane from lanes p cross join lateral (${nextLane('(p.domain, p.lane)', inDomain)}) n)
    ${shown(isScoped, blocked)} ${isScoped ? `and ${isSeen}` : ''} limit $${hasDomain ? 5 : 4}::int`
}

const oneSql = (isScoped: boolean): string =>
  `with lanes as (select $2::text collate "C" as domain, $3::text collate "C" as lane) ${shown(isScoped)}`

export const createLaneQueries = (pool: Pool): LaneQueries => ({
  list: async ({ tenantId, domain, blocked, limit = DEFAULT_LIMIT, cursor }) => {
    const [afterDomain, afterLane] = cursor === undefined ? ['', ''] : decode(cursor)
    const inDomain = domain === undefined ? [] : [domain]
    const { rows } = await pool.query(listSql(tenantId !== undefined, domain !== undefined, blocked), [
      tenantId ?? null,
      afterDomain,
      afterLane,
      ...inDomain,
      limit + 1,
    ])
    const items = rows.slice(0, limit).map(laneOf)
    const last = rows.length > limit ? items.at(-1) : undefined
    return { items, nextCursor: last === undefined ? null : encode(last) }
  },

  one: async (domain, lane, { tenantId }) => {
    const { rows } = await pool.query(oneSql(tenantId !== undefined), [tenantId ?? null, domain, lane])
    return laneOf(rows[0])
  },

  limit: async (domain, name) => {
    const { rows } = await pool.query(`${LIMITS} and l.domain = $1 and l.name = $2`, [domain, name])
    return rows.map(limitOf)[0] ?? null
  },

  limits: async domain => {
    const { rows } = await pool.query(
      `${LIMITS} and ($1::text is null or l.domain = $1) order by l.domain, l.name limit ${MOST_LIMITS}`,
      [domain],
    )
    return rows.map(limitOf)
  },
})

const LIMITS = `
  select l.domain, l.name, l.command_type, l.lanes_by, l.width, l.rate_per_second, l.on_park, l.updated_by,
    ${instant('l.updated_at')} as updated_at
  from command_bus_limit l where l.removed_at is null`

const limitOf = (row: LimitRow): Limit => ({
  domain: row.domain,
  name: row.name,
  commandType: row.command_type,
  by: row.lanes_by,
  width: row.width,
  ratePerSecond: row.rate_per_second,
  onPark: row.on_park,
  updatedBy: row.updated_by,
  updatedAt: row.updated_at,
})

interface LimitRow {
  readonly domain: string
  readonly name: string
  readonly command_type: string | null
  readonly lanes_by: Limit['by']
  readonly width: number
  readonly rate_per_second: number | null
  readonly on_park: Limit['onPark']
  readonly updated_by: string
  readonly updated_at: string
}

interface LaneRow {
  readonly domain: string
  readonly lane: string
  readonly width: number | null
  readonly rate: number | null
  readonly on_park: Lane['onPark']
  readonly limit_name: string | null
  readonly running: readonly string[]
  readonly waiting: number
  readonly waiting_since: string | null
  readonly blocked_by: string | null
  readonly blocked_since: string | null
  readonly why: 'PARKED' | 'RETRY' | null
}

const laneOf = (row: LaneRow): Lane => ({
  domain: row.domain,
  lane: row.lane,
  width: row.width,
  ratePerSecond: row.rate,
  onPark: row.on_park,
  limit: row.limit_name,
  running: row.running.slice(0, MOST_NAMED),
  waiting: row.waiting,
  waitingSince: row.waiting_since,
  blockedBy: row.why === null ? null : { commandId: row.blocked_by, since: row.blocked_since ?? '', why: row.why },
})

const encode = ({ domain, lane }: Lane): string => Buffer.from(JSON.stringify([domain, lane])).toString('base64url')

/** @throws InvalidInputError */
const decode = (cursor: string): readonly [string, string] => {
  try {
    const [domain, lane, ...more] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as readonly unknown[]
    if (more.length === 0 && isStorable(domain) && isStorable(lane)) return [domain, lane]
  } catch {}
  throw invalidCursor()
}

const isStorable = (part: unknown): part is string =>
  typeof part === 'string' && part.length <= MAX_LANE && part.isWellFormed() && !part.includes('\u0000')
