import type { ClientBase } from 'pg'
import { checkpointPosition, checkpointXid } from '../postgres/log/own-cluster.ts'

/** How many positions of the log are stored, and where. */
export interface PlaceCounts {
  readonly events: number
  /** Events that were moved to files. */
  readonly archived: number
  readonly seals: number
  readonly checkpoints: number
}

/** Events rewritten by one statement, between two reports. */
const CHUNK = 50_000

/** Every stored pair of id and position, but 0/0, the position before the first event, which stays. */
const PLACES = `
  select xid, position, 1 as events from command_bus_event
  union all select xid, position, 0 from command_bus_archived_event
  union all select xid, position, 0 from command_bus_seal where xid > '0'
  union all select ${checkpointXid}, ${checkpointPosition}, 0 from command_bus_checkpoint c where ${checkpointXid} > '0'`

/**
 * Makes a temporary table of old and new transaction ids. The feed is ordered by (id, position). Along it, the new id stays the
 * same while positions rise, and is the next number where they fall. So all pairs keep their order with the fewest ids. As
 * numbers begin at 1, a new id is never larger than the old one.
 */
export const makeMap = async (client: ClientBase): Promise<void> => {
  await client.query(
    `create temp table command_bus_adoption on commit drop as
     select s.xid as was, (1 + count(*) filter (where s.falls) over (order by s.xid))::text::xid8 as becomes, s.events
     from (
       select t.xid, t.events, t.first <= lag(t.last) over (order by t.xid) as falls
       from (
         select p.xid, min(p.position) as first, max(p.position) as last, sum(p.events) as events
         from (${PLACES}) p group by p.xid) t) s`,
  )
  await client.query('create unique index on command_bus_adoption (was)')
  await client.query('analyze command_bus_adoption')
}

export const countPlaces = async (client: ClientBase): Promise<PlaceCounts> => {
  const { rows } = await client.query<PlaceCounts>(
    `select (select coalesce(sum(events), 0)::float8 from command_bus_adoption) as events,
       (select count(*)::float8 from command_bus_archived_event) as archived,
       (select count(*)::float8 from command_bus_seal where xid > '0') as seals,
       (select count(*)::float8 from command_bus_checkpoint c where ${checkpointXid} > '0') as checkpoints`,
  )
  return rows[0] as PlaceCounts
}

const APPEND_ONLY = ['command_bus_event', 'command_bus_archived_event', 'command_bus_seal'] as const

/** Gives every stored position its new id, in the transaction of `makeMap`. Only the tables' owner may change the log. */
export const applyAdoption = async (
  client: ClientBase,
  onProgress: (done: number, total: number) => void,
): Promise<{ readonly events: number }> => {
  for (const table of APPEND_ONLY) await client.query(`alter table ${table} disable trigger ${table}_append_only`)
  // ids only become smaller, so that no later chunk has a rewritten row
  const { rows: chunks } = await client.query<{ first: string; last: string; events: number }>(
    `select min(c.was)::text as first, max(c.was)::text as last, sum(c.events)::float8 as events
     from (select was, events, (sum(events) over (order by was) - events) / ${CHUNK} as upto from command_bus_adoption) c
     group by floor(c.upto) order by min(c.was)`,
  )
  const events = chunks.reduce((sum, chunk) => sum + chunk.events, 0)
  let done = 0
  for (const { first, last, events: some } of chunks) {
    await client.query(
      `update command_bus_event e set xid = m.becomes from command_bus_adoption m
       where m.was = e.xid and m.becomes <> m.was
         and e.xid between $1::xid8 and $2::xid8 and m.was between $1::xid8 and $2::xid8`,
      [first, last],
    )
    done += some
    onProgress(done, events)
  }
  for (const table of ['command_bus_archived_event', 'command_bus_seal']) {
    await client.query(`update ${table} t set xid = m.becomes from command_bus_adoption m where m.was = t.xid`)
  }
  await client.query(
    `update command_bus_checkpoint c set position = m.becomes::text || '/' || split_part(c.position, '/', 2)
     from command_bus_adoption m where m.was = ${checkpointXid}`,
  )
  for (const table of APPEND_ONLY) await client.query(`alter table ${table} enable trigger ${table}_append_only`)
  return { events }
}
