import type { Pool } from 'pg'
import type { EventStore } from '../../../application/ports/event-store.ts'
import type { Log } from '../../../application/ports/log.ts'
import { UnavailableError } from '../../../application/shared/errors.ts'
import type { EventCodec } from '../../codec/event-codec.ts'
import { decodeRow, type EventRow } from '../../postgres/log/event-store.ts'
import { createWakeUp } from '../../shared/wake-up.ts'
import { messageOf } from './follow.ts'
import { nothingSetAside, type Refused, readSetAside, type SetAside, setAside } from './set-aside.ts'

export interface RelayOptions<Event> {
  readonly pool: Pool
  /** Appends to the log itself. */
  readonly store: Pick<EventStore<Event>, 'append'>
  readonly codec: EventCodec<Event>
  readonly log: Log
  /** How often refused intents are tried again, in milliseconds. Default 60,000. */
  readonly refusedMs?: number
}

export interface Relay {
  readonly start: () => void
  /** An intent was written in this process: polls often until its transaction has ended. */
  readonly wake: () => void
  /** The refused intents, as of the last poll. */
  readonly setAside: () => SetAside
  /** Waits for running appends, but not for a log that does not answer: the next process repeats them without effect. */
  readonly stop: () => Promise<void>
}

const BATCH = 100
/** The largest batch, by the compressed size of its payloads. */
const BATCH_BYTES = 16 * 1024 * 1024
const SHORTEST_MS = 10
const LONGEST_MS = 1_000
const COUNT_EVERY_MS = 5_000
const STOP_MS = 2_000

interface IntentRow extends EventRow {
  readonly intent_id: string
  readonly refused: boolean
}

type Relayed = { readonly intentId: string } | Refused

const pageOf = (condition: string): string => `
  select x.intent_id, x.stream, 0 as revision, x.event_id as id, x.type, x.data, x.meta, x.refused_at is not null as refused
  from (
    select i.*, sum(pg_column_size(i.data)) over (order by i.intent_id rows unbounded preceding)
                  - pg_column_size(i.data) as before
    from (select * from command_bus_intent where appended_at is null and ${condition}
          order by intent_id limit ${BATCH}) i) x
  where x.before < ${BATCH_BYTES} order by x.intent_id`

// a row is deleted at a later poll, once the mirror has its event
const FRESH = `with gone as (
    delete from command_bus_intent i where i.appended_at is not null
      and exists (select from command_bus_event e where e.stream = i.stream and e.revision = 0))
  ${pageOf('refused_at is null')}`
const REFUSED = pageOf(`refused_at < clock_timestamp() - $1::float8 * interval '1 ms'`)

/**
 * Appends the intents that callers committed in their transactions. Any number of processes may do so at once: an event keeps
 * its id, so the log takes it once, and an append that is repeated after a crash has no effect. If another sender meanwhile
 * sent a command with the same id, the intent is dropped. One that the log refuses is set aside, so that it does not block
 * the others.
 */
export const createRelay = <Event>({ pool, store, codec, log, refusedMs = 60_000 }: RelayOptions<Event>): Relay => {
  const bell = createWakeUp()
  let stopping = false
  let wait = SHORTEST_MS
  let running: Promise<void> | null = null
  let seen = nothingSetAside
  let nextCountAt = 0
  let retryAt = 0

  const relayed = async (row: IntentRow): Promise<Relayed> => {
    const intentId = row.intent_id
    try {
      const { id, event, context } = decodeRow(codec, row)
      const [result] = await store.append([{ stream: row.stream, expected: 'none', events: [{ id, event, context }] }])
      if (result?.outcome === 'conflict') {
        log.warn(
          { stream: row.stream },
          'another sender has sent a command with this id meanwhile: this one is dropped',
        )
      }
      return { intentId }
    } catch (error) {
      // the log is away for all of them
      if (error instanceof UnavailableError) throw error
      if (!row.refused) {
        log.error(
          { err: error, stream: row.stream },
          'a command sent in a transaction is set aside: the log refuses it',
        )
      }
      return { intentId, refusal: messageOf(error) }
    }
  }

  const readRows = async (): Promise<readonly IntentRow[]> => {
    const { rows } = await pool.query<IntentRow>(FRESH)
    if (performance.now() < retryAt) return rows
    retryAt = performance.now() + refusedMs
    const refused = await pool.query<IntentRow>(REFUSED, [refusedMs])
    return [...rows, ...refused.rows]
  }

  /** Returns how many intents were found. */
  const relay = async (): Promise<number> => {
    const rows = await readRows()
    const results = await Promise.allSettled(rows.map(relayed))
    const done = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    const refused = done.filter((one): one is Refused => 'refusal' in one)
    const appended = done.filter(one => !('refusal' in one))
    if (appended.length > 0) {
      await pool.query(
        'update command_bus_intent set appended_at = clock_timestamp(), refused_at = null where intent_id = any ($1::bigint[])',
        [appended.map(({ intentId }) => intentId)],
      )
    }
    if (refused.length > 0) await setAside(pool, refused)
    if (refused.length > 0 || performance.now() >= nextCountAt) {
      seen = await readSetAside(pool)
      nextCountAt = performance.now() + COUNT_EVERY_MS
    }
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
    setAside: () => seen,
    stop: async () => {
      stopping = true
      bell.wake()
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>(resolve => {
        timer = setTimeout(resolve, STOP_MS)
      })
      await Promise.race([running, late])
      clearTimeout(timer)
    },
  }
}
