import type { Pool } from 'pg'
import type { Queue } from '../../application/ports/queue.ts'
import { createReadPositions } from './read-positions.ts'

interface MessageRow {
  readonly msg_id: string
  readonly read_ct: number
  readonly enqueued_at: Date
  readonly message: unknown
  /** When it became due, in ms since 1970. */
  readonly due: number
}

/** The queue port over pgmq's tables and functions. Names are validated before they come here and passed as parameters. */
export const createPgmqQueue = (pool: Pool, queues: QueueCatalog, positions = createReadPositions()): Queue => ({
  ensure: queue => queues.ensure(new Set([queue])),

  read: async (queue, quantity, leaseMs) => {
    const look = positions.next(queue)
    const { rows } = await pool.query<MessageRow>({
      name: 'command_bus_read',
      text: `select msg_id, read_ct, enqueued_at, message, due
             from command_bus_read($1::text, $2::float8, $3::int, $4::float8)`,
      values: [queue, leaseMs / 1000, quantity, look.after],
    })
    look.found(rows.at(-1)?.due)
    return rows.map(row => ({
      msgId: row.msg_id,
      delivery: row.read_ct,
      enqueuedAt: row.enqueued_at.toISOString(),
      body: row.message,
    }))
  },

  archive: async (queue, msgIds) => {
    if (msgIds.length > 0) await pool.query(archiveMessages, [queue, msgIds, null])
  },

  keepStrangers: async (queue, strangers) => {
    if (strangers.size > 0) {
      await pool.query(archiveMessages, [queue, [...strangers.keys()], Object.fromEntries(strangers)])
    }
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
    const { rows } = await pool.query('select command_bus_next_visible($1::text, $2::float8) as ms', [
      queue,
      positions.after(queue),
    ])
    return rows[0]?.ms ?? null
  },
})

const archiveMessages = 'select command_bus_archive($1::text, $2::bigint[], $3::jsonb)'

/** Knows which queues exist, and makes those that do not: once a process, outside everybody's transaction. */
export interface QueueCatalog {
  readonly ensure: (queues: ReadonlySet<string>, options?: { readonly forget: boolean }) => Promise<void>
}

export const createQueueCatalog = (pool: Pool): QueueCatalog => {
  const known = new Map<string, Promise<void>>()
  const make = async (queue: string): Promise<void> => {
    await pool.query('select command_bus_make_queue($1::text)', [queue])
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
