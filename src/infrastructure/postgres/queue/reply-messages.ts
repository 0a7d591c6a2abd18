import { escapeIdentifier, type Pool } from 'pg'
import type { ReplyMessage, ReplyMessages } from '../../../application/ports/replies.ts'
import { instant } from '../connection/instant.ts'
import { inTransaction, withClient } from '../connection/with-client.ts'
import { retryTransient } from '../transactions/retry-transient.ts'

interface Row {
  readonly msg_id: string
  readonly read_ct: number
  readonly enqueued_at: string
  readonly message: unknown
}

const messageOf = (row: Row): ReplyMessage => ({
  msgId: row.msg_id,
  delivery: row.read_ct,
  enqueuedAt: row.enqueued_at,
  body: row.message,
})

const table = (queue: string): string => `pgmq.${escapeIdentifier(`q_${queue}`)}`

const columns = `m.msg_id, m.read_ct, ${instant('m.enqueued_at')} as enqueued_at, m.message`

/** Messages of one statement: a reply may have a megabyte. */
const MOST = 500

/**
 * Reply queues in pgmq's tables. The statements name the tables instead of pgmq's functions, which read no more than the
 * first messages of a queue; roles that send have the rights on them.
 */
export const createReplyMessages = (pool: Pool): ReplyMessages => ({
  head: async queue => {
    const { rows } = await pool.query(`select coalesce(max(m.msg_id), 0)::text as head from ${table(queue)} m`)
    return rows[0].head
  },

  ofCommands: async (queue, after, commandIds) => {
    const { rows } = await pool.query<Row & { readonly head: string }>(
      `select h.head, f.* from (select coalesce(max(m.msg_id), 0)::text as head from ${table(queue)} m) h
       left join lateral (
         select ${columns} from ${table(queue)} m
         where m.msg_id > $1::bigint and m.message->>'command_id' = any ($2::text[])
           and m.message->>'outcome' in ('SUCCESS', 'FAILED', 'CANCELED')
         order by m.msg_id limit ${MOST}) f on true`,
      [after, commandIds],
    )
    const found = rows.flatMap(row => (row.msg_id === null ? [] : [messageOf(row)]))
    return { head: rows[0]?.head ?? '0', found, more: found.length === MOST }
  },

  read: async (queue, quantity, hiddenMs, { correlationId = null, olderThanMs = null } = {}) => {
    const { rows } = await pool.query<Row>(
      `with due as materialized (
         select m.msg_id from ${table(queue)} m
         where m.vt <= clock_timestamp() and ($3::text is null or m.message->>'correlation_id' = $3)
           and ($4::float8 is null or m.enqueued_at <= clock_timestamp() - make_interval(secs => $4))
         order by m.msg_id limit $1::int for update skip locked
       ), taken as (
         update ${table(queue)} m set vt = clock_timestamp() + make_interval(secs => $2::float8), read_ct = m.read_ct + 1
         from due where m.msg_id = due.msg_id returning ${columns})
       select * from taken order by msg_id`,
      [quantity, hiddenMs / 1000, correlationId, olderThanMs === null ? null : olderThanMs / 1000],
    )
    return rows.map(messageOf)
  },

  hide: async (queue, messages, uncount = false) => {
    if (messages.length === 0) return
    await pool.query(
      `update ${table(queue)} m set vt = clock_timestamp() + make_interval(secs => x.seconds), read_ct = m.read_ct - $4::int
       from unnest($1::bigint[], $2::int[], $3::float8[]) x(msg_id, delivery, seconds)
       where m.msg_id = x.msg_id and m.read_ct = x.delivery`,
      [
        messages.map(({ msgId }) => msgId),
        messages.map(({ delivery }) => delivery),
        messages.map(({ ms }) => ms / 1000),
        uncount ? 1 : 0,
      ],
    )
  },

  remove: async (queue, msgIds) => {
    await retryTransient(() =>
      pool.query(`delete from ${table(queue)} m where m.msg_id = any ($1::bigint[])`, [msgIds]),
    )
  },

  archive: (queue, msgIds) =>
    withClient(pool, client =>
      inTransaction(client, async () => {
        // pgmq's functions need standard strings; the role may have set something else for its session
        await client.query('set local standard_conforming_strings = on')
        await client.query('select pgmq.archive($1::text, $2::bigint[])', [queue, msgIds])
      }),
    ),
})
