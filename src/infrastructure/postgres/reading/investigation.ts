import type { Pool } from 'pg'
import type { CommandView } from '../../../application/ports/reading/command-queries.ts'
import type {
  CausalFilter,
  InvestigationQueries,
  ParkedAtFilter,
  ParkedThenPage,
  RunsFilter,
  StatusCount,
} from '../../../application/ports/reading/investigation.ts'
import { commandStream, parseCommandStream } from '../../../domain/command/names.ts'
import { NO_FRAME } from '../../../domain/command/parking.ts'
import { staying } from '../../../domain/command/transitions.ts'
import { isUuid } from '../../../domain/uuid.ts'
import { commandIdIn, domainIn } from '../log/command-streams.ts'
import { listedColumns } from './command-columns.ts'
import { tenantIs } from './conditions.ts'
import { DEFAULT_LIMIT, decodeCursor, encodeCursor } from './cursor.ts'
import { correlationIdIs } from './domains.ts'
import { type EntryRow, entryColumns, entryOf, type RunRow, runColumns, runOf } from './workflow-rows.ts'

/** The most parkings that one page reads: each costs a lookup in the index, and one of the event that followed. */
export const PARKINGS_A_PAGE = 20_000

interface ParkedRow {
  readonly stream: string
  readonly revision: string
  readonly at: string
}

export const createInvestigationQueries = (pool: Pool): InvestigationQueries => ({
  parkedAt: async filter => {
    const limit = filter.limit ?? DEFAULT_LIMIT
    const { rows } = await pool.query<ParkedRow>(parkedAt, parkedAtValues(filter, limit + 1))
    if (rows.length > limit) return pageOf(rows.slice(0, limit), rows[limit - 1])
    // this page has not reached the beginning of the log: the next one goes on where it ended
    const last = await pool.query<ParkedRow>(lastLookedAt, parkedAtValues(filter, 1).slice(0, 4))
    return pageOf(rows, last.rows[0])
  },

  related: async ({ correlationId, tenantId }: CausalFilter, limit) => {
    const { rows } = await pool.query<CommandView>(related, [correlationId, tenantId ?? null, limit])
    return rows
  },

  relatedFirst: async ({ correlationId, tenantId }: CausalFilter, limit) => {
    const found = await pool.query<CommandView>(relatedFirst, [correlationId, tenantId ?? null, limit, OWN_AT_MOST])
    const counted = await pool.query<StatusCount>(countOwn, [correlationId, tenantId ?? null, OWN_AT_MOST])
    return { commands: found.rows, counts: counted.rows }
  },

  relatedRuns: async ({ runIds, tenantId }: RunsFilter, limit) => {
    const ids = runIds.filter(id => isUuid(id))
    if (ids.length === 0) return { runs: [], entries: [] }
    const runs = await pool.query<RunRow>(relatedRuns, [ids, tenantId ?? null, limit])
    const entries = await pool.query<EntryRow & { readonly tenant_id: string }>(entriesOfRuns, [
      ids,
      tenantId ?? null,
      limit,
    ])
    return {
      runs: runs.rows.map(row => {
        const { perFileResults: _, ...run } = runOf(row, [], () => false)
        return run
      }),
      entries: entries.rows.map(row => ({ ...entryOf(row), tenantId: row.tenant_id })),
    }
  },
})

const parkings = `
  select e.stream, e.revision, e.meta->>'at' as at, e.data, e.meta
  from command_bus_event e
  where e.type in ('CommandMovedToTroubleshooting', 'OperatorEndedAttempt') and e.meta->>'at' <= $1::text
    and ($2::text is null or (e.meta->>'at', e.stream) < ($2::text, $3::text collate "C"))
    and ($4::text is null or e.meta->>'at' >= $4::text)
  order by e.meta->>'at' desc, e.stream desc`

const lastLookedAt = `select p.stream, p.revision, p.at from (${parkings} offset ${PARKINGS_A_PAGE - 1} limit 1) p`

/** SQL: a command is parked from the event that parked it until the next event that changes its status. */
const parkedAt = `
  select p.stream, p.revision, p.at
  from (${parkings} limit ${PARKINGS_A_PAGE}) p
  where coalesce((
      select n.meta->>'at' from command_bus_event n
      where n.stream = p.stream and n.revision > p.revision and n.type <> all ($12::text[])
      order by n.revision limit 1) > $1, true)
    and ($5::text is null or p.at < $5)
    and ($6::text is null or ${domainIn('p.stream')} = $6)
    and ($7::text is null or p.meta#>>'{context,commandType}' = $7)
    and ($8::text is null or p.data#>>'{error,code}' = $8)
    and ${tenantIs('$9', "p.meta#>>'{context,tenantId}'")}
    and ($13::text is null or coalesce(p.data#>>'{error,frame}', '${NO_FRAME}') = $13)
    and ($10::text is null
         or concat_ws(' ', ${commandIdIn('p.stream')}, p.data#>>'{error,code}', p.data#>>'{error,message}') ilike $10)
  order by p.at desc, p.stream desc limit $11::int`

const parkedAtValues = (filter: ParkedAtFilter, limit: number): unknown[] => {
  const cursor = filter.cursor === undefined ? null : decodeCursor(filter.cursor)
  const like = filter.q === undefined ? null : `%${filter.q.replace(/[\\%_]/g, '\\$&')}%`
  const { at, domain, commandType, errorCode, frame, tenantId, from, to } = filter
  const after = cursor === null ? [null, null] : [cursor.at, commandStream(cursor)]
  return [
    at,
    ...after,
    ...[from, to, domain, commandType, errorCode, tenantId].map(value => value ?? null),
    like,
    limit,
    staying,
    frame ?? null,
  ]
}

const pageOf = (rows: readonly ParkedRow[], last: ParkedRow | undefined): ParkedThenPage => {
  const key = last === undefined ? null : parseCommandStream(last.stream)
  return {
    items: rows.flatMap(({ stream, revision }) => {
      const found = parseCommandStream(stream)
      return found === null ? [] : [{ ...found, stream, revision: Number(revision) }]
    }),
    nextCursor: last === undefined || key === null ? null : encodeCursor({ at: last.at, ...key }),
  }
}

const ofTenant = (alias: string): string => tenantIs('$2', `${alias}.tenant_id`)

/** The most commands with one correlation id that are read when not all can be shown. */
const OWN_AT_MOST = 50_000

const relatedRuns = `
  select ${runColumns('r')} from command_bus_workflow_run r where r.run_id = any ($1::uuid[]) and ${ofTenant('r')}
  order by r.created_at, r.run_id limit $3::int`

const entriesOfRuns = `
  select ${entryColumns('e')} from command_bus_credit_entry e where e.run_id = any ($1::uuid[]) and ${ofTenant('e')}
  order by e.at, e.tenant_id, e.revision limit $3::int`

/** SQL: each step from one command to another is an index lookup; `union` ends circles. */
const treeFrom = (seeds: string): string => `
  tree as (
    (${seeds})
    union
    select n.domain, n.command_id from tree t
    cross join lateral (
      select c.domain, c.command_id from command_bus_command c
      where c.parent_command_id = t.command_id and ${ofTenant('c')}
      union all
      select c.domain, c.command_id from command_bus_command c
      where c.causation_id = t.command_id::text collate "C" and ${ofTenant('c')}
      union all
      select p.domain, p.command_id from command_bus_command c
      join command_bus_command p on p.domain = c.domain and p.command_id = c.parent_command_id
      where c.domain = t.domain and c.command_id = t.command_id and ${ofTenant('p')}) n)
  select ${listedColumns('c')} from (select domain, command_id from tree limit $3::int) t
  join command_bus_command c on c.domain = t.domain and c.command_id = t.command_id
  order by c.created_at, c.domain, c.command_id`

const related = `
  with recursive ${treeFrom(`
    select c.domain, c.command_id from command_bus_command c
    where ${correlationIdIs('c', '$1')} and ${ofTenant('c')}
    order by c.created_at, c.command_id limit $3::int`)}`

const own = (most: string): string => `
  select c.domain, c.command_id, c.status, c.created_at,
         coalesce(c.parent_command_id::text, lower(c.causation_id)) as cause
  from command_bus_command c where ${correlationIdIs('c', '$1')} and ${ofTenant('c')} limit ${most}::int`

/** The same, but most of the limit goes to the commands that an investigator looks for, and a fifth to their causes. */
const relatedFirst = `
  with recursive own as materialized (${own('$4')}),
  bad as (
    select domain, command_id, cause from own where status in ('IN_TROUBLESHOOTING_QUEUE', 'FAILED')
    order by created_at, command_id limit greatest(1, $3::int * 4 / 5)),
  above as (
    select domain, command_id, cause from bad
    union
    select o.domain, o.command_id, o.cause from above a join own o on o.command_id::text = a.cause),
  ${treeFrom(`
    select o.domain, o.command_id from own o
    left join (select distinct domain, command_id from above) a on a.domain = o.domain and a.command_id = o.command_id
    order by a.command_id is null,
             case when o.status in ('IN_TROUBLESHOOTING_QUEUE', 'FAILED') then 0
                  when o.status in ('PENDING', 'IN_PROGRESS') then 1 else 2 end,
             o.created_at, o.command_id limit $3::int`)}`

const countOwn = `select status, count(*)::int as count from (${own('$3')}) c group by status order by status`
