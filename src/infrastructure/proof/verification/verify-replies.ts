import { type ClientBase, escapeIdentifier, type Pool } from 'pg'
import { isFinal, transitions } from '../../../domain/command/transitions.ts'
import { UUID_PATTERN } from '../../../domain/uuid.ts'
import { inTransaction } from '../../postgres/connection/with-client.ts'
import { streamOf } from '../../postgres/log/command-streams.ts'
import { OWES } from '../../postgres/replies/owed.ts'
import { withUnhurriedClient } from '../../postgres/transactions/unhurried.ts'
import { createFindings, type Finding } from '../chain/finding.ts'

export interface VerifiedReplies {
  readonly findings: readonly Finding[]
  /** Commands with a reply queue that have not ended, as the log says. */
  readonly owed: number
  /** Replies on queues and in their archives, and those that could not be delivered; readers remove what they have handled. */
  readonly replies: number
  /** How many replies there are beyond the first of their command. */
  readonly duplicates: number
}

interface Found {
  readonly stream: string
  readonly column: string
  readonly expected: number
  readonly found: number
  readonly message: string
}

/**
 * Compares the log with what is owed and with the reply queues and their archives: what the rows call owed has not ended in the
 * log, and the other way round; a command has one reply at the most, and none before its end. Changes nothing.
 */
export const verifyReplies = (pool: Pool, { limit = 1_000 } = {}): Promise<VerifiedReplies> =>
  withUnhurriedClient(pool, client =>
    // not read-only, because of the temporary table
    inTransaction(client, () => checkReplies(client, limit), 'begin isolation level repeatable read'),
  )

const checkReplies = async (client: ClientBase, limit: number): Promise<VerifiedReplies> => {
  const findings = createFindings(limit)
  const add = ({ message, ...found }: Found): void =>
    findings.add({ kind: 'reply', revision: null, ...found, message: `${message} (${found.stream})` })
  const { rows: lives } = await client.query<Found>(againstTheLog, [limit])
  for (const found of lives) add(found)
  await client.query(`create temporary table found_reply (domain text, command_id uuid, place text) on commit drop`)
  for (const queue of await replyQueues(client)) await client.query(collect(queue), [queue])
  await client.query(
    `insert into pg_temp.found_reply select domain, command_id, 'undelivered' from command_bus_undelivered where delivered_at is null`,
  )
  const { rows: counts } = await client.query<{ replies: number; duplicates: number }>(
    `select coalesce(sum(n), 0)::float8 as replies, coalesce(sum(n - 1), 0)::float8 as duplicates
     from (select count(*) as n from pg_temp.found_reply group by domain, command_id) found`,
  )
  for (const found of (await client.query<Found>(twice, [limit])).rows) add(found)
  const { rows } = await client.query<{ owed: number }>(
    `with ${LIVES} select count(*)::float8 as owed from lives where ends = 0`,
  )
  const { replies = 0, duplicates = 0 } = counts[0] ?? {}
  return { findings: findings.kept, owed: rows[0]?.owed ?? 0, replies, duplicates }
}

/** The events that end a command, each with a reply to its sender. */
const ENDS = Object.keys(transitions).filter(type => isFinal({ type } as never))
const ends = ENDS.map(type => `'${type}'`).join(', ')
const STREAM = streamOf('c')

/** SQL: the commands with a reply queue, as the log says; `ends`: how many of their events end them. */
const LIVES = `lives as materialized (
  select s.stream, s.data->>'replyTo' as queue,
    (select count(*)::int from command_bus_event e where e.stream = s.stream and e.type in (${ends})) as ends
  from command_bus_event s
  where s.stream >= 'command-' and s.stream < 'command.' and s.revision = 0 and s.data->>'replyTo' is not null)`

const againstTheLog = `
  with ${LIVES},
  owed as materialized (select ${STREAM} as stream from command_bus_command c where ${OWES})
  select * from (
    select l.stream, 'replies' as column, 1 as expected, l.ends as found, 'the log ends this command more than once' as message
    from lives l where l.ends > 1
    union all
    select l.stream, 'owed', 1, 0, 'this command has not ended, and its reply is not listed as owed'
    from lives l where l.ends = 0 and not exists (select from owed o where o.stream = l.stream)
    union all
    select o.stream, 'owed', 0, 1, 'a reply is listed as owed that the log does not owe'
    from owed o where not exists (select from lives l where l.stream = o.stream and l.ends = 0)) found
  order by 1 limit $1::int`

const twice = `
  select ${STREAM} as stream, 'replies' as column, case when c.status in ('COMPLETED', 'FAILED', 'CANCELED') then 1 else 0 end as expected,
    r.n as found, case when c.status in ('COMPLETED', 'FAILED', 'CANCELED') then 'this command has more than one reply: '
      else 'this command has not ended, and there is a reply: ' end || r.places as message
  from (select domain, command_id, count(*)::int as n, string_agg(place, ', ' order by place) as places
        from pg_temp.found_reply group by domain, command_id) r
  join command_bus_command c on c.domain = r.domain and c.command_id = r.command_id
  where r.n > 1 or c.status not in ('COMPLETED', 'FAILED', 'CANCELED')
  order by 1 limit $1::int`

/** The queues that commands name for their replies, and those to which replies were delivered instead. */
const replyQueues = async (client: ClientBase): Promise<readonly string[]> => {
  const { rows } = await client.query<{ queue: string }>(
    `select m.queue_name as queue from pgmq.meta m
     where m.queue_name in (select reply_queue from command_bus_command union select delivered_to from command_bus_undelivered)
       and command_bus_domain_of(m.queue_name) is null order by 1`,
  )
  return rows.map(({ queue }) => queue)
}

/** SQL: notes the replies of a queue and its archive to commands that named it. Other programs' messages are left out. */
const collect = (queue: string): string => `
  insert into pg_temp.found_reply
  select c.domain, c.command_id, m.place || ' ' || $1 from (
    select message, 'on' as place from pgmq.${escapeIdentifier(`q_${queue}`)}
    union all select message, 'in the archive of' from pgmq.${escapeIdentifier(`a_${queue}`)}) m
  join command_bus_command c on c.domain = m.message->>'domain'
    and c.command_id = case when m.message->>'command_id' ~ '^${UUID_PATTERN}$' then (m.message->>'command_id')::uuid end
  where m.message ? 'outcome' and c.reply_queue is not null`
