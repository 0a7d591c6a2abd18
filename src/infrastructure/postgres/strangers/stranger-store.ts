import type { Pool } from 'pg'
import type {
  Stranger,
  StrangerChoice,
  StrangerStore,
  TriedStranger,
  WaitingStrangers,
} from '../../../application/ports/strangers.ts'
import { NO_TENANT } from '../../../application/shared/scope.ts'
import type { FoundMessage } from '../../../application/strangers/read-stranger.ts'
import { commandQueue, domainOfQueue } from '../../../domain/command/names.ts'
import { otherPriorities } from '../../../domain/flow/priority.ts'
import type { Json } from '../../../domain/json/json.ts'
import { instant } from '../connection/instant.ts'
import { cutColumns, cutFrom, joinCut } from '../reading/cut-json.ts'
import type { Adoption } from './adoption.ts'

const DEFAULT_LIMIT = 100

/** Strangers have no tenant. */
const CHOSEN = `($1::text is null or $1 = '${NO_TENANT}') and ($2::text[] is null or queue = any ($2)) and ($3::text is null or queue = $3)
  and ($4::text is null or coalesce(message->>'command_type', message->>'type') = $4)`

const chosen = ({ tenantId, domain, queue, messageType }: StrangerChoice): readonly unknown[] => [
  tenantId ?? null,
  domain === undefined ? null : [commandQueue(domain), ...otherPriorities.map(one => commandQueue(domain, one))],
  queue ?? null,
  messageType ?? null,
]

const LIST = (settled: boolean): string => `
  select s.stranger_id, s.queue, s.msg_id, s.reads, ${instant('s.enqueued_at')} as enqueued_at, ${cutColumns('cut', 'message')}, s.headers,
    s.why, ${instant('s.found_at')} as found_at, s.outcome, ${instant('s.settled_at')} as settled_at, s.settled_by, s.reason, s.command_id
  from (
    select * from command_bus_stranger
    where settled_at is ${settled ? 'not ' : ''}null and ${CHOSEN} and ($5::bigint is null or stranger_id < $5)
    order by stranger_id desc limit $6::int) s
  ${joinCut('s.message', 'cut')}
  order by s.stranger_id desc`

const WAITING = `select stranger_id, queue, octet_length(message::text) as bytes from command_bus_stranger
  where settled_at is null and ${CHOSEN} and ($5::bigint[] is null or stranger_id = any ($5)) and ($6::bigint is null or stranger_id > $6)
  order by stranger_id limit $7::int`

interface StrangerRow {
  readonly stranger_id: string
  readonly queue: string
  readonly msg_id: string
  readonly reads: number
  readonly enqueued_at: string
  readonly headers: Json
  readonly why: string
  readonly found_at: string
  readonly outcome: Stranger['outcome']
  readonly settled_at: string | null
  readonly settled_by: string | null
  readonly reason: string | null
  readonly command_id: string | null
}

interface Kept extends FoundMessage {
  readonly strangerId: string
}

export const createStrangerStore = (pool: Pool, adopt: Adoption): StrangerStore => ({
  list: async ({ limit = DEFAULT_LIMIT, cursor, settled = false, ...choice }) => {
    const { rows } = await pool.query<StrangerRow>(LIST(settled), [...chosen(choice), cursor ?? null, limit + 1])
    const items = rows.slice(0, limit).map(strangerOf)
    return { items, nextCursor: rows.length > limit ? (items.at(-1)?.strangerId ?? null) : null }
  },

  waiting: async ({ limit = DEFAULT_LIMIT, strangerIds, cursor, ...choice }: WaitingStrangers) => {
    const { rows } = await pool.query(WAITING, [
      ...chosen(choice),
      strangerIds ?? null,
      cursor ?? null,
      strangerIds?.length ?? limit,
    ])
    return rows.map(row => ({ strangerId: row.stranger_id, domain: domainOfQueue(row.queue) ?? '', bytes: row.bytes }))
  },

  adopt: async (strangerIds, choice) => {
    const { rows } = await pool.query(
      `select stranger_id, queue, msg_id, reads, message from command_bus_stranger
       where stranger_id = any ($1::bigint[]) and settled_at is null order by stranger_id`,
      [strangerIds],
    )
    const found = rows.map(
      (row): Kept => ({
        strangerId: row.stranger_id,
        queue: row.queue,
        msgId: row.msg_id,
        reads: row.reads,
        body: row.message,
      }),
    )
    const outcomes = await adopt(found, choice, async (querier, settled) => {
      const { rowCount } = await querier.query(SETTLE, [
        settled.map(one => one.found.strangerId),
        settled.map(one => one.commandId),
        choice.actor,
        null,
      ])
      return rowCount ?? 0
    })
    return found.flatMap(({ strangerId, queue }, i): readonly TriedStranger[] => {
      const outcome = outcomes[i]
      if (outcome === undefined || outcome.outcome === 'gone') return []
      const domain = domainOfQueue(queue) ?? ''
      return outcome.outcome === 'adopted'
        ? [{ strangerId, domain, commandId: outcome.commandId, reason: null }]
        : [{ strangerId, domain, commandId: null, reason: outcome.why }]
    })
  },

  drop: async (strangerIds, { actor, reason }) => {
    const { rowCount } = await pool.query(SETTLE, [strangerIds, null, actor, reason])
    return rowCount ?? 0
  },
})

const SETTLE = 'select command_bus_settle_strangers($1::bigint[], $2::uuid[], $3::text, $4::text)'

const strangerOf = (row: StrangerRow): Stranger => ({
  strangerId: row.stranger_id,
  domain: domainOfQueue(row.queue) ?? '',
  queue: row.queue,
  msgId: row.msg_id,
  reads: row.reads,
  enqueuedAt: row.enqueued_at,
  ...cutFrom(row, 'message'),
  headers: row.headers,
  why: row.why,
  foundAt: row.found_at,
  outcome: row.outcome,
  settledAt: row.settled_at,
  settledBy: row.settled_by,
  reason: row.reason,
  commandId: row.command_id,
})
