import type { Pool } from 'pg'
import { EventDecodeError, type EventStore } from '../../application/ports/event-store.ts'
import type { Log } from '../../application/ports/log.ts'
import type { EventCodec } from '../codec/event-codec.ts'
import { decodeRow, type EventRow } from '../postgres/event-store.ts'
import { createWakeUp } from '../worker/signal.ts'

export interface RelayOptions<Event> {
  readonly pool: Pool
  /** Appends to the log itself. */
  readonly store: Pick<EventStore<Event>, 'append'>
  readonly codec: EventCodec<Event>
  readonly log: Log
}

export interface Relay {
  readonly start: () => void
  /** An intent was written in this process: look often until its transaction has ended. */
  readonly wake: () => void
  readonly stop: () => Promise<void>
}

const BATCH = 100
const SHORTEST_MS = 10
const LONGEST_MS = 1_000

interface IntentRow extends EventRow {
  readonly intent_id: string
}

/**
 * Appends what callers have written down in their transactions. Any number of processes may do so at once: an event
 * keeps its id, so the log takes it once, and a crash between append and mark is repeated without effect. An intent
 * whose command was sent by somebody else meanwhile, with the same id, is dropped: that command exists.
 */
export const createRelay = <Event>({ pool, store, codec, log }: RelayOptions<Event>): Relay => {
  const bell = createWakeUp()
  const unreadable = new Set<string>()
  let stopping = false
  let wait = SHORTEST_MS
  let running: Promise<void> | null = null

  const relayed = async (row: IntentRow): Promise<string | null> => {
    try {
      const { id, event, context } = decodeRow(codec, row)
      const [result] = await store.append([{ stream: row.stream, expected: 'none', events: [{ id, event, context }] }])
      if (result?.outcome === 'conflict') {
        log.warn({ stream: row.stream }, 'a command with this id was sent by others meanwhile: theirs counts')
      }
      return row.intent_id
    } catch (error) {
      if (!(error instanceof EventDecodeError)) throw error
      unreadable.add(row.intent_id)
      log.error({ err: error, stream: row.stream }, 'a command sent in a transaction cannot be read; it waits')
      return null
    }
  }

  /** How many were found. */
  const relay = async (): Promise<number> => {
    const { rows } = await pool.query<IntentRow>(
      `with gone as (
         delete from command_bus_intent i where i.appended_at is not null
           and exists (select from command_bus_event e where e.stream = i.stream and e.revision = 0))
       select intent_id, stream, 0 as revision, event_id as id, type, data, meta from command_bus_intent
       where appended_at is null and intent_id <> all ($1::bigint[]) order by intent_id limit ${BATCH}`,
      [[...unreadable]],
    )
    if (rows.length === 0) return 0
    const results = await Promise.allSettled(rows.map(relayed))
    const done = results.flatMap(result => (result.status === 'fulfilled' ? (result.value ?? []) : []))
    await pool.query(
      'update command_bus_intent set appended_at = clock_timestamp() where intent_id = any ($1::bigint[])',
      [done],
    )
    for (const result of results) if (result.status === 'rejected') throw result.reason
    return rows.length
  }

  const run = async (): Promise<void> => {
    while (!stopping) {
      try {
        if ((await relay()) > 0) {
          wait = SHORTEST_MS
          continue
        }
      } catch (error) {
        if (!stopping) log.warn({ err: error }, 'commands sent in transactions wait; trying again')
      }
      if (stopping) return
      await bell.wait(wait)
      wait = Math.min(wait * 2, LONGEST_MS)
    }
  }

  return {
    start: () => {
      running ??= run()
    },
    wake: () => {
      wait = SHORTEST_MS
      bell.wake()
    },
    stop: async () => {
      stopping = true
      bell.wake()
      await running
    },
  }
}
