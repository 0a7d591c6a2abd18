import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg'
import type { Json } from '../../domain/command/events.ts'
import type { Finding, Findings } from './finding.ts'

export interface MessagesChecked {
  readonly queues: number
  readonly messages: number
}

/**
 * Every message that an event put on a queue is where its command's status says, every message of a queue is one of
 * those, and each says what the events say. Done by the database, queue by queue, in the caller's snapshot.
 */
export const verifyMessages = async (client: ClientBase, findings: Findings): Promise<MessagesChecked> => {
  const { rows } = await client.query<{ queue: string; there: boolean }>(
    `select distinct queue_name as queue, to_regclass(format('pgmq.%I', 'q_' || queue_name)) is not null
       and to_regclass(format('pgmq.%I', 'a_' || queue_name)) is not null as there
     from command_bus_command order by 1`,
  )
  let messages = 0
  for (const { queue, there } of rows) {
    if (findings.isFull()) break
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
    // gives the locks on its tables back, as there may be more queues than the server has room for
    await client.query('savepoint command_bus_queue')
    const missing = await client.query<FaultRow>(missingMessages(queue), [queue, MOST_OF_A_QUEUE])
    const strange = await client.query<FaultRow>(strangeMessages(queue), [MOST_OF_A_QUEUE])
    for (const row of [...missing.rows, ...strange.rows]) findings.add(finding(queue, row))
    messages +=
      (await client.query(`select (select count(*) from ${q(queue)}) + (select count(*) from ${a(queue)}) as n`))
        .rows[0].n * 1
    await client.query('rollback to savepoint command_bus_queue')
  }
  return { queues: rows.length, messages }
}

/** Of each kind; more of the same say nothing new. */
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

const STREAM = `('command-' || c.domain || '-' || c.command_id) collate "C"`

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

/** Messages whose command does not know them, that are where they should not be, or that say something else. */
const strangeMessages = (queue: string): string => `
  select case when k.stream is null then null else k.stream end as stream, d.column, d.expected, d.found, d.what
  from (
    select t.msg_id, t.message, true as queued from ${q(queue)} t
    union all select t.msg_id, t.message, false from ${a(queue)} t
  ) m
  left join lateral (
    select e.stream, e.revision, e.type, c.status, c.msg_id = e.msg_id and c.status in ('PENDING', 'IN_PROGRESS') as should_be_queued,
      s.data as sent, s.meta as meta, c.domain, c.command_id
    from command_bus_command c
    join command_bus_event e on e.stream = ${STREAM} and e.msg_id = m.msg_id
    join command_bus_event s on s.stream = e.stream and s.revision = 0
    where c.queue_name = ${escapeLiteral(queue)} and c.domain = m.message->>'domain'
      and c.command_id = case when m.message->>'command_id' ~ '^[0-9a-f-]{36}$' then (m.message->>'command_id')::uuid end
    limit 1) k on true
  cross join lateral (
    select '*' as column, null::jsonb as expected, m.message as found,
      'message ' || m.msg_id || case when m.queued then ' on the queue' else ' in the archive' end
        || ' is not known to the command it names: it was put there or changed by hand' as what
      where k.stream is null and not (not m.queued and exists (
        select from command_bus_archived_stream g where g.stream = 'command-' || (m.message->>'domain') || '-' || (m.message->>'command_id')))
    union all
    select 'msg_id', null, to_jsonb(m.msg_id), 'message ' || m.msg_id || ' is still on the queue, though its command is ' || k.status
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
      where k.stream is not null and m.message->x.key is distinct from x.expected) d
  order by 1, 2 limit $1::int`
