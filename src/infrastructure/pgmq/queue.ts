import type { ClientBase, Pool } from 'pg'
import type { Delivery, DeliveryTag, Queue } from '../../application/ports/queue.ts'
import { domainOfQueue } from '../../domain/command/names.ts'
import { instant } from '../postgres/connection/instant.ts'
import { withClient } from '../postgres/with-client.ts'

interface MessageRow {
  readonly msg_id: string
  readonly read_ct: number
  readonly enqueued_at: string
  /** As text: its length is what it takes here. */
  readonly message: string
}

const tagOf = ({ msg_id, read_ct }: MessageRow): DeliveryTag => ({ msgId: msg_id, delivery: read_ct })

const deliveryOf = ({ msg_id, read_ct, enqueued_at, message }: MessageRow): Delivery => ({
  msgId: msg_id,
  delivery: read_ct,
  enqueuedAt: enqueued_at,
  body: JSON.parse(message),
  size: message.length,
})

/** The queue port over pgmq's SQL functions. Names are validated before they come here and passed as parameters. */
export const createPgmqQueue = (pool: Pool, queues: QueueCatalog): Queue => {
  const handBack: Queue['handBack'] = async (queue, tags, { uncount, delayMs = 0 }) => {
    if (tags.length === 0) return
    await pool.query(
      `select command_bus_hand_back($1::text, $2::bigint[], $3::int[], make_interval(secs => $4::float8), $5::boolean)`,
      [queue, tags.map(tag => tag.msgId), tags.map(tag => tag.delivery), delayMs / 1000, uncount],
    )
  }

  return {
    ensure: queue => queues.ensure(new Set([queue])),

    read: async (queue, quantity, leaseMs) => {
      const { rows } = await pool.query({
        name: 'command_bus_read',
        text: `select msg_id, read_ct, ${instant('enqueued_at')} as enqueued_at, message::text as message from pgmq.read($1::text, $2::int, $3::int)`,
        values: [queue, Math.max(1, Math.ceil(leaseMs / 1000)), quantity],
      })
      try {
        return (rows as MessageRow[]).map(deliveryOf)
      } catch (error) {
        // nobody gets to begin these
        await handBack(queue, (rows as MessageRow[]).map(tagOf), { uncount: true }).catch(() => {})
        throw error
      }
    },

    archive: async (queue, msgIds) => {
      if (msgIds.length > 0) await pool.query('select pgmq.archive($1::text, $2::bigint[])', [queue, msgIds])
    },

    extend: async (queue, tags, leaseMs) => {
      const { rows } = await pool.query(
        `select command_bus_extend($1::text, $2::bigint[], $3::int[], make_interval(secs => $4::float8)) as msg_id`,
        [queue, tags.map(tag => tag.msgId), tags.map(tag => tag.delivery), leaseMs / 1000],
      )
      return rows.map(row => row.msg_id)
    },

    handBack,

    ownersOf: async (domain, msgIds) => {
      const { rows } = await pool.query(
        `select msg_id, command_id from command_bus_command
         where status in ('PENDING', 'IN_PROGRESS') and domain = $1::text and msg_id = any ($2::bigint[])`,
        [domain, msgIds],
      )
      return new Map(rows.map(row => [row.msg_id, row.command_id]))
    },

    nextVisibleIn: async queue => {
      const { rows } = await pool.query('select command_bus_next_visible($1::text) as ms', [queue])
      return rows[0]?.ms ?? null
    },
  }
}

/**
 * A queue that was dropped by hand begins anew at 1, with the ids of messages that its commands have had: they would be
 * taken for those. So it goes on after the last one.
 */
export const goOnCounting = `
  select setval(ids.name, last.msg_id)
  from (select pg_get_serial_sequence(format('pgmq.%I', 'q_' || $1::text), 'msg_id') as name) ids,
       (select max(msg_id) as msg_id from command_bus_command where domain = $2::text) last
  where last.msg_id is not null and pg_sequence_last_value(ids.name::regclass) is null`

export interface EnsureOptions {
  /** Looks again: a queue that was there is gone. */
  readonly forget?: boolean
  /** The caller's own transaction, which may have made the queue itself: nobody else sees it before the commit. */
  readonly within?: Pick<ClientBase, 'query'>
}

/** Knows which queues exist, and makes those that do not: once a process, outside everybody's transaction. */
export interface QueueCatalog {
  readonly ensure: (queues: ReadonlySet<string>, options?: EnsureOptions) => Promise<void>
}

/** Somebody else may be making the queue in a transaction that stays open. */
export const LONGEST_LOCK_MS = 10_000

/**
 * @param pool apart from the connections that callers and handlers hold while they wait for a queue; nobody who holds one
 * of its connections may wait for another
 */
export const createQueueCatalog = (pool: Pool): QueueCatalog => {
  const known = new Set<string>()
  const making = new Map<string, Promise<void>>()
  const isThere = async (querier: Pick<ClientBase, 'query'>, queue: string): Promise<boolean> => {
    const { rows } = await querier.query('select 1 from pgmq.list_queues() where queue_name = $1', [queue])
    return rows.length > 0
  }
  const make = async (queue: string): Promise<void> => {
    if (await isThere(pool, queue)) return
    await withClient(pool, async client => {
      await client.query('begin')
      await client.query(`set local lock_timeout = ${LONGEST_LOCK_MS}`)
      await client.query('select pgmq.create($1::text)', [queue])
      await client.query(goOnCounting, [queue, domainOfQueue(queue)])
      await client.query('commit')
    })
  }
  const makeOnce = (queue: string): Promise<void> => {
    const under = making.get(queue)
    if (under !== undefined) return under
    const made = make(queue)
      .then(() => void known.add(queue))
      .finally(() => making.delete(queue))
    making.set(queue, made)
    return made
  }
  return {
    ensure: async (queues, { forget = false, within } = {}) => {
      for (const queue of queues) {
        if (forget) known.delete(queue)
        // one that only this transaction sees is not remembered: it may be rolled back
        if (known.has(queue) || (within !== undefined && (await isThere(within, queue)))) continue
        await makeOnce(queue)
      }
    },
  }
}
