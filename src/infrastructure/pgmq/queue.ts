import type { Pool } from 'pg'
import type { Queue } from '../../application/ports/queue.ts'
import { domainOfQueue } from '../../domain/command/names.ts'
import { instant } from '../postgres/connection/instant.ts'
import { withClient } from '../postgres/with-client.ts'

interface MessageRow {
  readonly msg_id: string
  readonly read_ct: number
  readonly enqueued_at: string
  readonly message: unknown
}

/** The queue port over pgmq's SQL functions. Names are validated before they come here and passed as parameters. */
export const createPgmqQueue = (pool: Pool, queues: QueueCatalog): Queue => ({
  ensure: queue => queues.ensure(new Set([queue])),

  read: async (queue, quantity, leaseMs) => {
    const { rows } = await pool.query({
      name: 'command_bus_read',
      text: `select msg_id, read_ct, ${instant('enqueued_at')} as enqueued_at, message from pgmq.read($1::text, $2::int, $3::int)`,
      values: [queue, Math.max(1, Math.ceil(leaseMs / 1000)), quantity],
    })
    return (rows as MessageRow[]).map(row => ({
      msgId: row.msg_id,
      delivery: row.read_ct,
      enqueuedAt: row.enqueued_at,
      body: row.message,
    }))
  },

  archive: async (queue, msgIds) => {
    if (msgIds.length > 0) await pool.query('select pgmq.archive($1::text, $2::bigint[])', [queue, msgIds])
  },

  extend: async (queue, tags, leaseMs) => {
    if (tags.length === 0) return []
    const { rows } = await pool.query(
      `select command_bus_extend($1::text, $2::bigint[], $3::int[], make_interval(secs => $4::float8)) as msg_id`,
      [queue, tags.map(tag => tag.msgId), tags.map(tag => tag.delivery), leaseMs / 1000],
    )
    return rows.map(row => row.msg_id)
  },

  handBack: async (queue, tags, { uncount, delayMs = 0 }) => {
    if (tags.length === 0) return
    await pool.query(
      `select command_bus_hand_back($1::text, $2::bigint[], $3::int[], make_interval(secs => $4::float8), $5::boolean)`,
      [queue, tags.map(tag => tag.msgId), tags.map(tag => tag.delivery), delayMs / 1000, uncount],
    )
  },

  nextVisibleIn: async queue => {
    const { rows } = await pool.query('select command_bus_next_visible($1::text) as ms', [queue])
    return rows[0]?.ms ?? null
  },
})

/**
 * A queue that was dropped by hand begins anew at 1, with the ids of messages that its commands have had: they would be
 * taken for those. So it goes on after the last one.
 */
const goOnCounting = `
  select setval(ids.name, last.msg_id)
  from (select pg_get_serial_sequence(format('pgmq.%I', 'q_' || $1::text), 'msg_id') as name) ids,
       (select max(msg_id) as msg_id from command_bus_command where domain = $2::text) last
  where last.msg_id is not null and pg_sequence_last_value(ids.name::regclass) is null`

/** Knows which queues exist, and makes those that do not: once a process, outside everybody's transaction. */
export interface QueueCatalog {
  readonly ensure: (queues: ReadonlySet<string>, options?: { readonly forget: boolean }) => Promise<void>
}

export const createQueueCatalog = (pool: Pool): QueueCatalog => {
  const known = new Map<string, Promise<void>>()
  const make = async (queue: string): Promise<void> => {
    const { rows } = await pool.query('select 1 from pgmq.list_queues() where queue_name = $1', [queue])
    if (rows.length > 0) return
    await withClient(pool, async client => {
      await client.query('begin')
      await client.query('select pgmq.create($1::text)', [queue])
      await client.query(goOnCounting, [queue, domainOfQueue(queue)])
      await client.query('commit')
    })
  }
  const ensureOne = (queue: string): Promise<void> => {
    const made = known.get(queue)
    if (made !== undefined) return made
    const making = make(queue).catch(error => {
      known.delete(queue)
      throw error
    })
    known.set(queue, making)
    return making
  }
  return {
    ensure: async (queues, { forget } = { forget: false }) => {
      for (const queue of queues) {
        if (forget) known.delete(queue)
        await ensureOne(queue)
      }
    },
  }
}
