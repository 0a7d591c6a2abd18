import { type ClientBase, escapeIdentifier, type Pool } from 'pg'
import { exactInstant } from '../../postgres/connection/instant.ts'
import { commandIdIn, streamOf } from '../../postgres/log/command-streams.ts'
import { withDomains } from '../../postgres/reading/domains.ts'
import type { EventLine, MessageLine } from '../case/case-lines.ts'
import { exactColumns } from '../chain/event-hash.ts'

/** A command that has ended, with all its events sealed. */
export interface Picked {
  readonly stream: string
  readonly domain: string
  readonly command_id: string
  readonly queue: string
  readonly status: string
  readonly revision: string
}

const OLD = `c.status in ('COMPLETED', 'FAILED', 'CANCELED') and c.created_at < $1::timestamptz and c.updated_at < $1::timestamptz`
const STREAM = streamOf('c')

/** From one domain after the other, the oldest of each first. */
export const pickStreams = async (client: ClientBase, before: Date, limit: number): Promise<readonly Picked[]> => {
  const { rows } = await client.query<Picked>(
    `with recursive ${withDomains()}
     select picked.* from domains d
     cross join lateral (
       select ${STREAM} as stream, c.domain, c.command_id, c.queue_name as queue, c.status, c.revision
       from command_bus_command c
       cross join (select xid, position from command_bus_seal order by number desc limit 1) seal
       where c.domain = d.domain and ${OLD} and not exists (
         select from command_bus_event e where e.stream = ${STREAM} and (e.xid, e.position) > (seal.xid, seal.position))
       order by c.created_at, c.command_id limit $2::int) picked
     limit $2::int`,
    [before, limit],
  )
  return rows
}

const PAGE_STREAMS = 500

/** All events of the streams, stream by stream. */
export async function* streamEvents(client: ClientBase, picked: readonly Picked[]): AsyncGenerator<EventLine> {
  for (let from = 0; from < picked.length; from += PAGE_STREAMS) {
    const streams = picked.slice(from, from + PAGE_STREAMS).map(({ stream }) => stream)
    const { rows } = await client.query<EventLine>(
      `select ${exactColumns} from unnest($1::text[]) with ordinality s(stream, n)
       join command_bus_event e on e.stream = s.stream collate "C" order by s.n, e.revision`,
      [streams],
    )
    yield* rows
  }
}

const messageColumns = (queue: string): string => `
  '${queue}' as queue, a.msg_id::text as "msgId", a.read_ct as "readCt", ${exactInstant('a.enqueued_at')} as "enqueuedAt",
  ${exactInstant('a.archived_at')} as "archivedAt", a.message::text as body
  from pgmq.${escapeIdentifier(`a_${queue}`)} a`

/** The archived messages of these commands. */
export const messagesOf = async (client: ClientBase, picked: readonly Picked[]): Promise<readonly MessageLine[]> => {
  const found: MessageLine[] = []
  for (const queue of new Set(picked.map(one => one.queue))) {
    const streams = picked.filter(one => one.queue === queue).map(({ stream }) => stream)
    const { rows } = await client.query<MessageLine>(
      `select ${messageColumns(queue)}
       where a.msg_id in (
         select e.msg_id from unnest($1::text[]) s(stream) join command_bus_event e on e.stream = s.stream collate "C"
         where e.msg_id is not null)
       order by a.msg_id`,
      [streams],
    )
    found.push(...rows)
  }
  return found
}

/** Queues of commands. Names that pgmq allows have only lower-case letters, digits, `_` and `-`. */
const commandQueues = async (client: ClientBase | Pool): Promise<readonly string[]> => {
  const { rows } = await client.query(
    `select queue_name from pgmq.meta where queue_name ~ '^[a-z_][a-z0-9_-]*$' and command_bus_domain_of(queue_name) is not null order by 1`,
  )
  return rows.map(row => row.queue_name)
}

/** Messages that were archived before `before`, of any command. */
export const oldMessages = async (client: ClientBase, before: Date, limit: number): Promise<readonly MessageLine[]> => {
  const found: MessageLine[] = []
  for (const queue of await commandQueues(client)) {
    if (found.length >= limit) break
    const { rows } = await client.query<MessageLine>(
      `select ${messageColumns(queue)} where a.archived_at < $1::timestamptz order by a.msg_id limit $2::int`,
      [before, limit - found.length],
    )
    found.push(...rows)
  }
  return found
}

/** How many streams, events and messages would be moved. */
export const archivable = async (db: ClientBase, before: Date) => {
  const { rows } = await db.query<{ streams: number; events: number }>(
    `select count(*)::float8 as streams, coalesce(sum(c.revision + 1), 0)::float8 as events from command_bus_command c where ${OLD}`,
    [before],
  )
  let messages = 0
  for (const queue of await commandQueues(db)) {
    const found = await db.query(
      `select count(*)::float8 as n from pgmq.${escapeIdentifier(`a_${queue}`)} a where a.archived_at < $1::timestamptz`,
      [before],
    )
    messages += found.rows[0].n
  }
  return { streams: rows[0]?.streams ?? 0, events: rows[0]?.events ?? 0, messages }
}

/** The files that a command was moved to, in any domain. */
export const archivedIn = async (pool: Pool, commandId: string) => {
  const { rows } = await pool.query<{ stream: string; status: string; file: string }>(
    `select a.stream, a.status, s.about#>>'{archive,file}' as file
     from command_bus_archived_stream a join command_bus_seal s on s.number = a.seal
     where ${commandIdIn('a.stream')} = $1::text order by 1`,
    [commandId],
  )
  return rows
}
