import type { ClientBase } from 'pg'
import { ALL } from '../../../application/alerts/alert-input.ts'
import type {
  AlertRule,
  AlertWork,
  AlertWrites,
  Attempt,
  Fact,
} from '../../../application/ports/alerting/alert-work.ts'
import { instant } from '../connection/instant.ts'
import { inTransaction } from '../connection/with-client.ts'
import { tenantIs } from '../reading/conditions.ts'
import { inAlarm } from '../reading/open-commands.ts'
import { countOwed } from '../replies/owed.ts'

/** More causes are not told: senders choose types, and handlers choose codes. */
const MOST_CAUSES = 10_000
/** Alerts that are sent at the same time. */
const AT_ONCE = 40
/** Those of one receiver: one that does not answer must not keep all others waiting. */
const AT_ONCE_TO_ONE = 5

/** SQL: scheme, host and port. */
const receiverOf = (url: string): string => `substring(${url} from '^[^/]*//[^/?#]*')`

/** The work on alerts, on the connection of its leader. A reply is late after `lateAfterSeconds`. */
export const createAlertWork = (client: ClientBase, lateAfterSeconds: number): AlertWork => ({
  now: async () => (await client.query(`select ${instant('now()')} as now`)).rows[0].now,

  rules: async () =>
    (
      await client.query<AlertRule>(
        `select scope, name, watches as "on", quiet, digest_minutes as "digestMinutes" from command_bus_alert order by scope, name`,
      )
    ).rows,

  causes: async scope =>
    (
      await client.query<Fact>(
        `select 'groups' as kind, c.domain, c.command_type as "commandType", c.last_error_code as "errorCode", count(*)::int as count,
           ${instant('min(c.parked_at)')} as first, ${instant('max(c.parked_at)')} as last
         from command_bus_command c
         where c.status = 'IN_TROUBLESHOOTING_QUEUE' and ${tenantIs('$1', 'c.tenant_id')} and ${inAlarm('c')}
         group by c.domain, c.command_type, c.last_error_code
         order by c.domain, c.command_type, c.last_error_code limit ${MOST_CAUSES}`,
        [scope === ALL ? null : scope],
      )
    ).rows,

  lateReplies: () => countOwed(client, lateAfterSeconds),

  changing: (rule, change) =>
    inTransaction(client, async () => {
      const { rowCount } = await client.query(
        'select from command_bus_alert where scope = $1 and name = $2 for key share',
        [rule.scope, rule.name],
      )
      if (rowCount === 1) await change(writesOf(client, rule))
    }),

  begin: async (waitsMs, underWay = []) => {
    const { rows } = await client.query<Attempt>(
      `with busy as (
         select b.scope, b.name, ${receiverOf('b.url')} as receiver from unnest($2::text[], $3::text[], $4::text[]) b(scope, name, url)),
       first as (
         select distinct on (d.scope, d.name) d.delivery_id, d.next_attempt_at, a.url, a.secret, ${receiverOf('a.url')} as receiver
         from command_bus_alert_delivery d join command_bus_alert a on a.scope = d.scope and a.name = d.name
         where d.status = 'PENDING' and d.next_attempt_at <= now()
           and not exists (select from busy b where b.scope = d.scope and b.name = d.name)
         order by d.scope, d.name, d.next_attempt_at, d.delivery_id),
       placed as (
         select f.*, row_number() over (partition by f.receiver order by f.next_attempt_at, f.delivery_id)
           + (select count(*) from busy b where b.receiver = f.receiver) as place
         from first f),
       -- those that wait longest: otherwise alerts with long backlogs would keep the others waiting
       due as (select * from placed where place <= ${AT_ONCE_TO_ONE} order by next_attempt_at, delivery_id
         limit greatest(0, ${AT_ONCE} - cardinality($2)))
       update command_bus_alert_delivery d set attempts = d.attempts + 1, next_attempt_at = clock_timestamp()
         + ($1::float8[])[least(d.attempts + 1, cardinality($1::float8[]))] * interval '1 millisecond'
       from due where d.delivery_id = due.delivery_id
       returning d.id, d.scope, d.name, d.body, d.attempts as attempt, due.url, due.secret`,
      [waitsMs, underWay.map(({ scope }) => scope), underWay.map(({ name }) => name), underWay.map(({ url }) => url)],
    )
    return rows
  },

  end: async outcomes => {
    await client.query(
      `update command_bus_alert_delivery d set
         status = case when x.error is null then 'SENT' when x.last then 'GIVEN_UP' else 'PENDING' end,
         next_attempt_at = case when x.error is not null and not x.last then d.next_attempt_at end,
         ended_at = case when x.error is null or x.last then now() end,
         last_error = x.error
       from jsonb_to_recordset($1::jsonb) x(id uuid, attempt int, error text, last boolean)
       where d.id = x.id and d.attempts = x.attempt and d.status = 'PENDING'`,
      [JSON.stringify(outcomes)],
    )
  },

  clean: async () => {
    await client.query(`delete from command_bus_alert_delivery where ended_at < now() - interval '30 days'`)
  },
})

const writesOf = (client: ClientBase, { scope, name }: AlertRule): AlertWrites => ({
  known: async () => {
    const { rows } = await client.query(
      `select subject, facts, ${instant('last_at')} as "lastAt", ${instant('pending_since')} as "pendingSince"
       from command_bus_alert_subject where scope = $1 and name = $2 order by pending_since, subject`,
      [scope, name],
    )
    return new Map(rows.map(({ subject, ...rest }) => [subject, rest]))
  },
  put: async subjects => {
    await client.query(
      `insert into command_bus_alert_subject (scope, name, subject, facts, last_at, pending_since)
       select $1, $2, x.subject, x.facts, x."lastAt", x."pendingSince"
       from jsonb_to_recordset($3::jsonb) x(subject uuid, facts jsonb, "lastAt" timestamptz, "pendingSince" timestamptz)
       on conflict (scope, name, subject) do update set
         facts = excluded.facts, last_at = excluded.last_at, pending_since = excluded.pending_since`,
      [scope, name, JSON.stringify(subjects.map(([subject, one]) => ({ subject, ...one })))],
    )
  },
  drop: async keys => {
    await client.query(
      'delete from command_bus_alert_subject where scope = $1 and name = $2 and subject = any ($3::uuid[])',
      [scope, name, keys],
    )
  },
  add: async webhooks => {
    await client.query(
      `insert into command_bus_alert_delivery (id, scope, name, is_test, body, status, next_attempt_at, created_at)
       select x.id, $1, $2, false, x.body, 'PENDING', now(), now() from jsonb_to_recordset($3::jsonb) x(id uuid, body text)`,
      [scope, name, JSON.stringify(webhooks.map(({ id, body }) => ({ id, body })))],
    )
    await client.query(
      `update command_bus_alert_subject set pending_since = null
       where scope = $1 and name = $2 and subject = any ($3::uuid[])`,
      [scope, name, webhooks.flatMap(({ keys }) => keys)],
    )
  },
})

/** Commands with a sender that waits; those that are to run later are not late yet. */
