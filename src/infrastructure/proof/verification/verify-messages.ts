import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg'
import type { Json } from '../../../domain/json/json.ts'
import { UUID_PATTERN } from '../../../domain/uuid.ts'
import { streamOf } from '../../postgres/log/command-streams.ts'
import type { Finding, Findings } from '../chain/finding.ts'

export interface MessagesChecked {
  readonly queues: number
  readonly messages: number
  /**
   * Messages of no command: those kept for an operator, replies on the wrong queue, and on a queue that is shared with other
   * programs those that no worker has read yet, or that were archived before.
   */
  readonly strangers: number
}

/**
 * Checks that every message of an event is where its command's status requires, that queues hold no other messages, and that
 * each message matches the events. The database does so, queue by queue, in the caller's snapshot.
 */
export const verifyMessages = async (client: ClientBase, findings: Findings): Promise<MessagesChecked> => {
  const { rows } = await client.query<{ queue: string; there: boolean }>(
    `select distinct queue_name as queue, to_regclass(format('pgmq.%I', 'q_' || queue_name)) is not null
       and to_regclass(format('pgmq.%I', 'a_' || queue_name)) is not null as there
     from command_bus_command order by 1`,
  )
  let messages = 0
  let strangers = 0
  for (const { queue, there } of rows) {
    if (findings.isFull('message')) break
    if (!there) {
      findings.add(
        finding(queue, {
          stream: `queue ${queue}`,
          column: '*',
          expected: 'a queue',
          found: null,
          what: 'the queue is gone, and commands are on it',
        }),
      )
      continue
    }
    // releases the locks on its tables, as there may be more queues than the server has locks
    await client.query('savepoint command_bus_queue')
    const missing = await client.query<FaultRow>(missingMessages(queue), [queue, MOST_OF_A_QUEUE])
    const unknown = await client.query<FaultRow>(unknownMessages(queue), [queue, MOST_OF_A_QUEUE])
    const wrong = await client.query<FaultRow>(wrongMessages(queue), [MOST_OF_A_QUEUE])
    strangers += (await client.query(strangerCount(queue), [queue])).rows[0].n
    for (const row of [...missing.rows, ...unknown.rows, ...wrong.rows]) findings.add(finding(queue, row))
    messages +=
      (await client.query(`select (select count(*) from ${q(queue)}) + (select count(*) from ${a(queue)}) as n`))
        .rows[0].n * 1
    await client.query('rollback to savepoint command_bus_queue')
  }
  return { queues: rows.length, messages, strangers }
}

/** The most findings of each kind in a queue. */
const MOST_OF_A_QUEUE = 1_000

interface FaultRow {
  readonly stream: string | null
  readonly column: string
  readonly expected: Json
  readonly found: Json
  readonly what: string
}

const finding = (queue: string, { stream, what, ...row }: FaultRow): Finding => ({
  kind: 'message',
  stream: stream ?? `queue ${queue}`,
  revision: null,
  ...row,
  message: `${what} (queue ${queue})`,
})

const q = (queue: string): string => `pgmq.${escapeIdentifier(`q_${queue}`)}`
const a = (queue: string): string => `pgmq.${escapeIdentifier(`a_${queue}`)}`

const STREAM = streamOf('c')

/** Where the messages of a command should be: the present one by its status, those of earlier rounds in the archive. */
const missingMessages = (queue: string): string => `
  select m.stream, 'msg_id' as column, to_jsonb(m.msg_id) as expected, null::jsonb as found,
    'message ' || m.msg_id || ' of this ' || m.status || ' command is not ' || case when m.queued then 'on its queue' else 'in the archive' end as what
  from (
    select ${STREAM} as stream, e.msg_id, c.status, e.msg_id = c.msg_id and c.status in ('PENDING', 'IN_PROGRESS') as queued
    from command_bus_command c
    join command_bus_event e on e.stream = ${STREAM} and e.msg_id is not null
    -- a worker's success takes the message away
    where c.queue_name = $1 and not (c.status = 'COMPLETED' and e.msg_id = c.msg_id and not exists (
      select from command_bus_event l where l.stream = e.stream and l.revision = c.revision and l.type = 'OperatorCompleted'))
  ) m
  where case when m.queued then not exists (select from ${q(queue)} t where t.msg_id = m.msg_id)
    else not exists (select from ${a(queue)} t where t.msg_id = m.msg_id)
      and not exists (select from command_bus_archived_message t where t.queue = $1 and t.msg_id = m.msg_id) end
  order by 1 limit $2::int`

/** Messages of a queue and its archive, each with its command. */
const eachMessage = (queue: string): string => `
  (
    select t.msg_id, coalesce(t.message, 'null') as message, true as queued, null::timestamptz as archived_at from ${q(queue)} t
    union all select t.msg_id, coalesce(t.message, 'null'), false, t.archived_at from ${a(queue)} t
  ) m
  left join lateral (
    select e.stream, e.revision, e.type, c.status, c.msg_id = e.msg_id and c.status in ('PENDING', 'IN_PROGRESS') as should_be_queued,
      s.data as sent, s.meta as meta, c.domain, c.command_id
    from command_bus_command c
    join command_bus_event e on e.stream = ${STREAM} and e.msg_id = m.msg_id
    join command_bus_event s on s.stream = e.stream and s.revision = 0
    where c.queue_name = ${escapeLiteral(queue)} and c.domain = m.message->>'domain' and c.command_id = ${commandId('m')}
    limit 1) k on true`

const commandId = (message: string): string =>
  `case when ${message}.message->>'command_id' ~ '^${UUID_PATTERN}$' then (${message}.message->>'command_id')::uuid end`

/**
 * Messages that belong to no command. `is_stranger`: harmless, as other programs send to this queue and no worker has read it
 * yet, or they archived it before; or it is the reply to a command with this queue as `replyTo`. A message whose id is in the
 * log is never a stranger.
 */
const unknowns = (queue: string): string => `
  unknown as materialized (
    select m.msg_id, m.message, m.queued, m.archived_at from ${eachMessage(queue)}
    where k.stream is null and not (not m.queued and exists (
      select from command_bus_archived_stream g where g.stream = command_bus_command_stream(m.message->>'domain', ${commandId('m')})))
  ), logged as materialized (
    select distinct u.msg_id from unknown u join command_bus_event e on e.msg_id = u.msg_id
    where exists (select from command_bus_command c where c.queue_name = $1 and e.stream = ${STREAM})
  ), judged as (
    select u.*, l.msg_id is null and (u.queued and s.queue is not null or u.archived_at <= s.since or r.command_id is not null) is true as is_stranger
    from unknown u
    left join logged l on l.msg_id = u.msg_id
    left join command_bus_shared_queue s on s.queue = $1
    left join (select distinct command_id from command_bus_command where reply_queue = $1) r
      on r.command_id = ${commandId('u')} and u.message ? 'outcome' and u.message->>'type' like '%Response' and not u.message ? 'command_type')`

const strangerCount = (queue: string): string => `
  with ${unknowns(queue)} select count(*) filter (where j.is_stranger)::int
    + (select count(*) from command_bus_stranger k where k.queue = $1 and k.settled_at is null)::int as n from judged j`

const unknownMessages = (queue: string): string => `
  with ${unknowns(queue)}
  select null as stream, '*' as column, null::jsonb as expected, j.message as found,
    'message ' || j.msg_id || case when j.queued then ' on the queue' else ' in the archive' end
      || ' is not known to the command it names: it was put there or changed by hand' as what
  from judged j where not j.is_stranger order by j.msg_id limit $2::int`

/** Messages in the wrong place, or that differ from their commands. */
const wrongMessages = (queue: string): string => `
  select k.stream as stream, d.column, d.expected, d.found, d.what
  from ${eachMessage(queue)}
  cross join lateral (
    select 'msg_id' as column, null::jsonb as expected, to_jsonb(m.msg_id) as found,
        'message ' || m.msg_id || ' is still on the queue, though its command is ' || k.status as what
      where m.queued and not k.should_be_queued
    union all
    select 'message.' || x.key, x.expected, m.message->x.key,
        'message ' || m.msg_id || case when m.queued then ' on the queue' else ' in the archive' end || ' says something else than the events'
      from (
        select 'data' as key, (select p.data->'data' from command_bus_event p where p.stream = k.stream and p.revision <= k.revision and p.data ? 'data'
          and p.type in ('CommandSent', 'OperatorRetried') order by p.revision desc limit 1) as expected
        union all select 'command_type', k.sent->'commandType'
        union all select 'correlation_id', k.sent->'correlationId'
        union all select 'reply_to', nullif(k.sent->'replyTo', 'null')
        union all select 'created_at', k.meta->'at' where k.type = 'CommandSent'
      ) x
      where m.message->x.key is distinct from x.expected) d
  where k.stream is not null
  order by 1, 2 limit $1::int`
