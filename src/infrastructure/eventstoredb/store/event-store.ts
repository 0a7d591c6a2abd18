import type { EventData } from '@eventstore/db-client'
import type {
  AppendOptions,
  AppendResult,
  EventStore,
  NewEvent,
  StreamAppend,
} from '../../../application/ports/event-store.ts'
import { TooLargeError } from '../../../application/shared/errors.ts'
import type { Recorded } from '../../../domain/recorded.ts'
import type { EventCodec } from '../../codec/event-codec.ts'
import type { EventStoreDbConnection } from '../connection/connection.ts'
import { isMessageLimit, troubleOf } from '../connection/errors.ts'
import { eachOf, retryWhileAway } from '../connection/retry-while-away.ts'
import { collect } from './reading.ts'
import { decodeRecord } from './records.ts'

export interface EventStoreDbOptions<Event> {
  readonly connection: EventStoreDbConnection
  readonly codec: EventCodec<Event>
  /** The prefix of all stream names in EventStoreDB. Default: none. */
  readonly streamPrefix?: string
  /** How long to wait for the answer to one call, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number
  /** How long calls are repeated while the server is away, in milliseconds. Default 10,000. */
  readonly retryMs?: number
}

const PAGE = 500
const READS_AT_ONCE = 32
/** EventStoreDB's default limit of one append, which is the smallest that is used. */
const USUAL_LIMIT = 1024 * 1024

const bytesOf = (events: readonly EventData[]): number =>
  events.reduce((sum, { data, metadata }) => sum + Buffer.byteLength(JSON.stringify([data, metadata])), 0)

/**
 * The log in EventStoreDB. Each append of a call is its own request. The runner that reads the feed makes rows and messages
 * later. A request whose answer was lost is repeated with the same ids at the same revision, so it takes effect once. When a
 * call fails, some of its appends may have taken place.
 */
export const createEventStoreDbEventStore = <Event>(options: EventStoreDbOptions<Event>): EventStore<Event> => {
  const { connection, codec, streamPrefix = '', timeoutMs = 10_000, retryMs = 10_000 } = options

  const readPage = (stream: string, from: number, count: number) =>
    retryWhileAway(retryMs, async () => {
      const client = await connection.reader()
      const read = client.readStream(streamPrefix + stream, { fromRevision: BigInt(from), maxCount: count })
      return (await collect(read, timeoutMs)).flatMap(({ event }) => event ?? [])
    })

  const readStream = async (stream: string, from = 0): Promise<readonly Recorded<Event>[]> => {
    const events: Recorded<Event>[] = []
    for (;;) {
      const page = await readPage(stream, from + events.length, PAGE)
      events.push(...page.map(record => decodeRecord(codec, record, streamPrefix)))
      if (page.length < PAGE) return events
    }
  }

  /** The revision of the first event to append. `any` follows the last event, and can still lose a race. */
  const settle = async ({ stream, expected }: StreamAppend<Event>): Promise<number> => {
    if (expected === 'none') return 0
    if (expected !== 'any') return expected + 1
    const [last] = await retryWhileAway(retryMs, async () => {
      const client = await connection.reader()
      const from = { direction: 'backwards', fromRevision: 'end', maxCount: 1 } as const
      const read = client.readStream(streamPrefix + stream, from)
      return collect(read, timeoutMs)
    })
    return last?.event === undefined ? 0 : Number(last.event.revision) + 1
  }

  const eventDataOf = ({ id, event, context }: NewEvent<Event>): EventData => {
    const { type, data, meta } = codec.encode(event, context)
    return { id, contentType: 'application/json', type, data: data as never, metadata: meta as never }
  }

  const appendOne = async (append: StreamAppend<Event>): Promise<AppendResult> => {
    const { stream, events } = append
    const from = await settle(append)
    const data = events.map(eventDataOf)
    const outcome = await retryWhileAway(retryMs, async () => {
      try {
        await connection.appending(timeoutMs, client =>
          client.appendToStream(streamPrefix + stream, data, {
            expectedRevision: from === 0 ? 'no_stream' : BigInt(from - 1),
            deadline: timeoutMs,
          }),
        )
        return 'appended'
      } catch (error) {
        if (troubleOf(error) === 'conflict') return 'conflict'
        // a message that was too large broke the connection: only its size shows which one it was
        if (isMessageLimit(error) && bytesOf(data) > USUAL_LIMIT) throw new TooLargeError({ cause: error })
        throw error
      }
    })
    if (outcome === 'conflict' && !(await isThere(append, from))) return { outcome, stream }
    return { outcome: 'appended', stream, revision: from + events.length - 1, msgId: null }
  }

  /** Whether a lost race was lost to this append's own earlier attempt: its events are there with the same ids. */
  const isThere = async ({ stream, events }: StreamAppend<Event>, from: number): Promise<boolean> => {
    const there = await readPage(stream, from, events.length)
    return events.every(({ id }, i) => there[i]?.id === id)
  }

  return {
    capabilities: { atomicAppend: false, inlineProjections: false },
    append: async (appends, appendOptions) => {
      refuse(appends, appendOptions)
      const results = new Map<string, AppendResult>()
      const groups = inOrder(appends)
      await eachOf(groups, groups.length, async group => {
        for (const append of group) results.set(append.stream, await appendOne(append))
      })
      return appends.map(({ stream }) => results.get(stream) as AppendResult)
    },
    appendAll: async () => {
      throw new Error('EventStoreDB cannot append to several streams atomically')
    },
    readStream,
    readStreams: async (streams, readOptions) => {
      refuseTransaction(readOptions)
      const found = await eachOf(streams, READS_AT_ONCE, async stream => [stream, await readStream(stream)] as const)
      return new Map(found.filter(([, events]) => events.length > 0))
    },
  }
}

/** Appends in groups that may go in parallel: those of one lane go one after the other, as their order counts. */
const inOrder = <Event>(appends: readonly StreamAppend<Event>[]): readonly (readonly StreamAppend<Event>[])[] => {
  const lanes = new Map<string, StreamAppend<Event>[]>()
  const groups: StreamAppend<Event>[][] = []
  for (const append of appends) {
    const lane = append.events[0]?.context.lane
    const group = lane === undefined ? undefined : lanes.get(lane)
    if (group !== undefined) group.push(append)
    else {
      const made = [append]
      groups.push(made)
      if (lane !== undefined) lanes.set(lane, made)
    }
  }
  return groups
}

const refuseTransaction = (options: AppendOptions | undefined): void => {
  if (options?.within !== undefined) {
    throw new Error('the log is in EventStoreDB: it cannot take part in a transaction of PostgreSQL')
  }
}

const refuse = (appends: readonly StreamAppend<unknown>[], options: AppendOptions | undefined): void => {
  refuseTransaction(options)
  const empty = appends.find(append => append.events.length === 0)
  if (empty !== undefined) throw new Error(`nothing to append to '${empty.stream}': an append needs at least one event`)
  if (new Set(appends.map(append => append.stream)).size !== appends.length) {
    throw new Error('a stream stands twice in one append: put its events together')
  }
}
