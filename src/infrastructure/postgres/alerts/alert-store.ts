import type { Pool } from 'pg'
import type {
  Alert,
  AlertDelivery,
  AlertStore,
  DeliveryFilter,
} from '../../../application/ports/alerting/alert-store.ts'
import { instant } from '../connection/instant.ts'
import { inTransaction, withClient } from '../connection/with-client.ts'
import { DEFAULT_LIMIT, invalidCursor } from '../reading/cursor.ts'

const ALERTS = `select a.name, a.url, a.watches as "on", a.quiet, a.digest_minutes as "digestMinutes", a.set_by as "setBy",
    ${instant('a.set_at')} as "setAt", ${instant(`(select max(d.ended_at) from command_bus_alert_delivery d
      where d.scope = a.scope and d.name = a.name and d.status = 'SENT')`)} as "lastSentAt",
    (select count(*)::int from command_bus_alert_delivery d where d.scope = a.scope and d.name = a.name and d.status = 'PENDING') as waiting,
    (select count(*)::int from command_bus_alert_delivery d where d.scope = a.scope and d.name = a.name and d.status = 'GIVEN_UP') as "givenUp",
    (select d.last_error from command_bus_alert_delivery d where d.scope = a.scope and d.name = a.name and d.status <> 'SENT'
     order by d.delivery_id desc limit 1) as "lastError"
  from command_bus_alert a where a.scope = $1`

export const createAlertStore = (pool: Pool): AlertStore => ({
  list: async scope => (await pool.query<Alert>(`${ALERTS} order by a.name`, [scope])).rows,

  find: async ({ scope, name }) =>
    (await pool.query<Alert>(`${ALERTS} and a.name = $2`, [scope, name])).rows[0] ?? null,

  set: async ({ scope, name }, { url, secret, on, quiet, digestMinutes }, by) => {
    const { rowCount } = await pool.query(
      `insert into command_bus_alert (scope, name, url, secret, watches, quiet, digest_minutes, set_by, set_at)
       select $1, $2, $3, coalesce($4, before.secret), $5::text[], $6::jsonb, $7::int, $8, now()
       from (select (select a.secret from command_bus_alert a where a.scope = $1 and a.name = $2) as secret) before
       where $4::text is not null or before.secret is not null
       on conflict (scope, name) do update set url = excluded.url, secret = excluded.secret, watches = excluded.watches,
         quiet = excluded.quiet, digest_minutes = excluded.digest_minutes, set_by = excluded.set_by, set_at = excluded.set_at`,
      [scope, name, url, secret ?? null, on, quiet === null ? null : JSON.stringify(quiet), digestMinutes, by],
    )
    return rowCount === 1
  },

  remove: async ({ scope, name }) => {
    const key = [scope, name]
    return withClient(pool, client =>
      inTransaction(client, async () => {
        const { rowCount } = await client.query('delete from command_bus_alert where scope = $1 and name = $2', key)
        // a statement of its own: it sees what was added while the one before waited for the row
        await client.query(
          `update command_bus_alert_delivery set status = 'GIVEN_UP', next_attempt_at = null, ended_at = now(),
             last_error = 'the alert was deleted'
           where scope = $1 and name = $2 and status = 'PENDING'`,
          key,
        )
        return rowCount === 1
      }),
    )
  },

  receiver: async ({ scope, name }) =>
    (await pool.query('select url, secret from command_bus_alert where scope = $1 and name = $2', [scope, name]))
      .rows[0] ?? null,

  deliveries: async ({ scope, name }, { limit = DEFAULT_LIMIT, cursor }: DeliveryFilter) => {
    if (cursor !== undefined && !/^\d{1,18}$/.test(cursor)) throw invalidCursor()
    const { rows } = await pool.query<AlertDelivery & { readonly place: string }>(
      `select delivery_id::text as place, id, is_test as test, status, body::jsonb->>'text' as text, attempts, ${instant('created_at')} as "createdAt",
         ${instant('next_attempt_at')} as "nextAttemptAt", ${instant('ended_at')} as "endedAt", last_error as "lastError"
       from command_bus_alert_delivery
       where scope = $1 and name = $2 and ($3::bigint is null or delivery_id < $3)
       order by delivery_id desc limit $4::int`,
      [scope, name, cursor ?? null, limit + 1],
    )
    const items = rows.slice(0, limit)
    return {
      items: items.map(({ place: _, ...item }) => item),
      nextCursor: rows.length > limit ? (items.at(-1)?.place ?? null) : null,
    }
  },

  recordTest: async ({ scope, name }, { id, body, error }) => {
    await pool.query(
      `insert into command_bus_alert_delivery (id, scope, name, is_test, body, status, attempts, created_at, ended_at, last_error)
       values ($1, $2, $3, true, $4, $5, 1, now(), now(), $6)`,
      [id, scope, name, body, error === null ? 'SENT' : 'FAILED', error],
    )
  },
})
