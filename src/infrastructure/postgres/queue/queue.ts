import type { Pool } from 'pg'
import type { Delivery, DeliveryTag, Queue } from '../../../application/ports/queue.ts'
import { domainOfQueue } from '../../../domain/command/names.ts'
import { instant } from '../connection/instant.ts'
import { admitLanes } from './lanes.ts'
import type { QueueCatalog } from './queue-catalog.ts'
import { createReadPositions } from './read-positions.ts'

/** `data` and `meta`: the only event of its command, instead of a message that says the same. Texts, so that their length is known. */
type MessageRow = {
  readonly msg_id: string
  readonly read_ct: number
  /** When it became due, in ms since 1970. */
  readonly due: number
} & (
  | { readonly message: string; readonly data: null; readonly own?: boolean }
  | { readonly message: null; readonly command_id: string; readonly data: string; readonly meta: string }
)

/** The row after the messages of a read that found fewer than its limit: the time up to which it has read. */
interface EndRow {
  readonly msg_id: null
  readonly due: number
}

const isMessage = (row: MessageRow | EndRow): row is MessageRow => row.msg_id !== null

const tagOf = (queue: string, { msg_id, read_ct }: MessageRow): DeliveryTag => ({
  queue,
  msgId: msg_id,
  delivery: read_ct,
})

const deliveryOf = (queue: string, row: MessageRow): Delivery => {
  const { msg_id: msgId, read_ct: delivery } = row
  if (row.data === null) {
    const { message, own } = row
    return { queue, msgId, delivery, body: JSON.parse(message), size: message.length, ...(own === true ? { own } : {}) }
  }
  const { command_id: commandId, data, meta } = row
  const sent = { commandId, data: JSON.parse(data), meta: JSON.parse(meta) }
  return { queue, msgId, delivery, body: undefined, sent, size: data.length }
}

const READ = {
  name: 'command_bus_read',
  text: `select msg_id, read_ct, message::text as message, due, command_id, data::text as data, meta::text as meta
         from command_bus_read($1::text, $2::float8, $3::int, $4::float8)`,
}
/** The messages alone, for a log that is not in this database: what it has of a command may be behind the log. */
const READ_MESSAGES = {
  name: 'command_bus_read_messages',
  text: `select msg_id, read_ct, due, null as data, data is not null as own, coalesce(message,
           command_bus_message_of(command_bus_domain_of($1::text), command_id, data, meta))::text as message
         from command_bus_read($1::text, $2::float8, $3::int, $4::float8)`,
}

/** Messages that one statement of a sweep looks at. */
const SWEPT_AT_ONCE = 2_000

/**
 * The queue port on pgmq's tables and functions. Callers validate names, which are passed as parameters.
 * @param logIsHere whether the log is in the same database
 */
export const createPgmqQueue = (
  pool: Pool,
  queues: QueueCatalog,
  positions = createReadPositions(),
  logIsHere = true,
): Queue => {
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
      const plan = positions.next(queue)
      const { rows: all } = await pool.query<MessageRow | EndRow>({
        ...(logIsHere ? READ : READ_MESSAGES),
        values: [queue, leaseMs / 1000, quantity, plan.after],
      })
      plan.reached(all.at(-1)?.due)
      const rows = all.filter(isMessage)
      try {
        return rows.map(row => deliveryOf(queue, row))
      } catch (error) {
        // no worker begins these
        await handBack(
          queue,
          rows.map(row => tagOf(queue, row)),
          { uncount: true },
        ).catch(() => {})
        throw error
      }
    },

    archive: async (queue, msgIds) => {
      if (msgIds.length > 0) await pool.query('select command_bus_archive($1::text, $2::bigint[])', [queue, msgIds])
    },

    keepStrangers: async (queue, strangers) => {
      if (strangers.size > 0) {
        const whys = JSON.stringify(Object.fromEntries(strangers))
        await pool.query('select command_bus_keep_strangers($1::text, $2::jsonb)', [queue, whys])
      }
    },

    extend: async (queue, tags, leaseMs) => {
      const { rows } = await pool.query(
        `select command_bus_extend($1::text, $2::bigint[], $3::int[], make_interval(secs => $4::float8)) as msg_id`,
        [queue, tags.map(tag => tag.msgId), tags.map(tag => tag.delivery), leaseMs / 1000],
      )
      return rows.map(row => row.msg_id)
    },

    handBack,

    begin: async (queue, messages) => {
      const { rows } = await pool.query<{ readonly msg_id: string }>({
        name: 'command_bus_begin',
        text: 'select msg_id from command_bus_begin($1::text, $2::bigint[], $3::int[], $4::uuid[]) msg_id',
        values: [
          queue,
          messages.map(({ msgId }) => msgId),
          messages.map(({ delivery }) => delivery),
          messages.map(({ commandId }) => commandId),
        ],
      })
      return new Set(rows.map(row => row.msg_id))
    },

    putAside: async (queue, tags, pauses) => {
      if (tags.length === 0) return
      await pool.query('select command_bus_put_aside($1::text, $2::bigint[], $3::int[], $4::uuid[])', [
        queue,
        tags.map(tag => tag.msgId),
        tags.map(tag => tag.delivery),
        tags.map(tag => pauses.get(tag.msgId)),
      ])
    },

    sweepPaused: async (queue, after) => {
      const { rows } = await pool.query(
        'select vt, msg_id, looked_at from command_bus_sweep_paused($1::text, $2::text::timestamptz, $3::bigint, $4::int)',
        [queue, after?.vt ?? null, after?.msgId ?? null, SWEPT_AT_ONCE],
      )
      const [last] = rows
      if (last === undefined) return { place: after, more: false }
      return { place: { vt: last.vt, msgId: last.msg_id }, more: last.looked_at === SWEPT_AT_ONCE }
    },

    ownersOf: async (queue, msgIds, named) => {
      const { rows } = await pool.query(
        'select msg_id, command_id from command_bus_owners(command_bus_domain_of($1::text), $1::text, $2::bigint[], $3::uuid[])',
        [queue, msgIds, named],
      )
      return new Map(rows.map(row => [row.msg_id, row.command_id]))
    },

    existing: async names => {
      const unmade = new Set(await queues.unmade(new Set(names)))
      return names.filter(name => !unmade.has(name))
    },

    now: async () => {
      const { rows } = await pool.query<{ now: string }>(`select ${instant('clock_timestamp()')} as now`)
      const [{ now }] = rows as [{ now: string }]
      return now
    },

    nextVisibleIn: async queue => {
      const { rows } = await pool.query<{ readonly ms: number | null; readonly lanes: boolean }>(
        'select ms, lanes from command_bus_next_visible($1::text, $2::float8)',
        [queue, positions.after(queue)],
      )
      if (rows[0]?.lanes === true && (await admitLanes(pool, domainOfQueue(queue) ?? '')).length > 0) return 0
      return rows[0]?.ms ?? null
    },
  }
}
