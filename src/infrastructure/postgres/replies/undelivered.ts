import type { Pool } from 'pg'
import type {
  UndeliveredChoice,
  UndeliveredReply,
  UndeliveredStore,
} from '../../../application/ports/reading/undelivered.ts'
import { instant } from '../connection/instant.ts'
import { tenantIs } from '../reading/conditions.ts'

const DEFAULT_LIMIT = 100

const CHOSEN = `${tenantIs('$1', 'tenant_id')} and ($2::text is null or domain = $2)
  and ($3::uuid is null or command_id = $3) and ($4::text is null or queue = $4)`

const chosen = ({ tenantId, domain, commandId, queue }: UndeliveredChoice): readonly unknown[] => [
  tenantId ?? null,
  domain ?? null,
  commandId ?? null,
  queue ?? null,
]

const LIST = (delivered: boolean): string => `select reply_id, domain, command_id, tenant_id, queue, reason,
    ${instant('since')} as since, tries, ${instant('delivered_at')} as delivered_at, delivered_by, delivered_to
  from command_bus_undelivered
  where delivered_at is ${delivered ? 'not ' : ''}null and ${CHOSEN} and ($5::bigint is null or reply_id < $5)
  order by reply_id desc limit $6::int`

/** @param onDelivered called with the queues that got replies */
export const createUndeliveredStore = (
  pool: Pool,
  onDelivered: (queues: ReadonlySet<string>) => void,
): UndeliveredStore => ({
  list: async ({ limit = DEFAULT_LIMIT, cursor, delivered = false, ...choice }) => {
    const { rows } = await pool.query(LIST(delivered), [...chosen(choice), cursor ?? null, limit + 1])
    const items = rows.slice(0, limit).map(
      (row): UndeliveredReply => ({
        replyId: row.reply_id,
        domain: row.domain,
        commandId: row.command_id,
        tenantId: row.tenant_id,
        queue: row.queue,
        reason: row.reason,
        since: row.since,
        tries: row.tries,
        deliveredAt: row.delivered_at,
        deliveredBy: row.delivered_by,
        deliveredTo: row.delivered_to,
      }),
    )
    return { items, nextCursor: rows.length > limit ? (items.at(-1)?.replyId ?? null) : null }
  },

  deliver: async ({ limit = DEFAULT_LIMIT, replyIds, to, actor, ...choice }) => {
    const { rows } = await pool.query(
      `select d.reply_id, d.domain, d.command_id, d.queue, d.why
       from command_bus_deliver_replies(array(
         select reply_id from command_bus_undelivered
         where delivered_at is null and ${CHOSEN} and ($5::bigint[] is null or reply_id = any ($5))
         order by tries, reply_id limit $6::int), $7::text, $8::text) d`,
      [...chosen(choice), replyIds ?? null, replyIds?.length ?? limit, to ?? null, actor],
    )
    const got = new Set<string>(rows.flatMap(({ queue, why }) => (why === null ? [queue] : [])))
    if (got.size > 0) onDelivered(got)
    return rows.map(row => ({
      replyId: row.reply_id,
      domain: row.domain,
      commandId: row.command_id,
      queue: row.queue,
      reason: row.why,
    }))
  },
})

const COUNTED = 10_000

/** The number of undelivered replies, counted up to 10,000. */
export const countUndelivered = async (pool: Pool, tenantId?: string): Promise<number> => {
  const { rows } = await pool.query(
    `select count(*)::int as n from (
       select from command_bus_undelivered where delivered_at is null and ${tenantIs('$1', 'tenant_id')} limit ${COUNTED}) kept`,
    [tenantId ?? null],
  )
  return rows[0].n
}
