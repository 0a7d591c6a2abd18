import type { EventFeed, FeedEvent, FeedPosition } from '../../application/ports/event-feed.ts'
import type { AppendOptions, AppendResult, EventStore, StreamAppend } from '../../application/ports/event-store.ts'
import type { Recorded } from '../../domain/recorded.ts'

export interface MemoryEventStore<Event> {
  readonly store: EventStore<Event>
  readonly feed: EventFeed<Event>
  /** The events of each stream. */
  readonly streams: ReadonlyMap<string, readonly FeedEvent<Event>[]>
}

/** Rows and messages that are written with the events. */
export interface MemoryProjections<Event> {
  /** Checks an append before anything is written. Throws where it cannot be carried out. */
  readonly check: (append: StreamAppend<Event>) => void
  /** Applies an event; returns the id of the message that it put on a queue. */
  readonly apply: (recorded: Recorded<Event>) => string | null
}

/** What an append would do to its stream: append at `from`, repeat existing events, or lose. */
type Standing = { readonly kind: 'free' | 'repeated'; readonly from: number } | { readonly kind: 'lost' }

/**
 * An event store in memory, for tests, and as the simplest form of the port's contract. It has no transactions, and without
 * `projections` no rows and no messages.
 */
export const createMemoryEventStore = <Event>(
  now: () => Date = () => new Date(),
  projections: MemoryProjections<Event> | null = null,
): MemoryEventStore<Event> => {
  const log: FeedEvent<Event>[] = []
  const streams = new Map<string, FeedEvent<Event>[]>()

  const standing = ({ stream, expected, events }: StreamAppend<Event>): Standing => {
    const there = streams.get(stream) ?? []
    const from = expected === 'any' ? there.length : expected === 'none' ? 0 : expected + 1
    if (from === there.length) return { kind: 'free', from }
    return events.every(({ id }, i) => there[from + i]?.id === id) ? { kind: 'repeated', from } : { kind: 'lost' }
  }

  const write = ({ stream, events }: StreamAppend<Event>): void => {
    const there = streams.get(stream) ?? []
    streams.set(stream, there)
    for (const { id, event, context } of events) {
      const recorded: FeedEvent<Event> = {
        stream,
        revision: there.length,
        id,
        event,
        context,
        position: String(log.length),
        recordedAt: now().toISOString(),
        msgId: projections?.apply({ stream, revision: there.length, id, event, context }) ?? null,
      }
      there.push(recorded)
      log.push(recorded)
    }
  }

  const commit = (appends: readonly StreamAppend<Event>[], atomic: boolean): readonly AppendResult[] => {
    const tries = appends.map(append => ({ append, found: standing(append) }))
    const stopped = atomic && tries.some(({ found }) => found.kind === 'lost')
    for (const { append, found } of tries) if (found.kind === 'free' && !stopped) projections?.check(append)
    return tries.map(({ append, found }): AppendResult => {
      const { stream, events } = append
      if (found.kind === 'lost') return { outcome: 'conflict', stream }
      if (found.kind === 'free' && stopped) return { outcome: 'not-tried', stream }
      if (found.kind === 'free') write(append)
      const written = (streams.get(stream) ?? []).slice(found.from, found.from + events.length)
      const msgId = written.findLast(one => one.msgId !== null)?.msgId ?? null
      return { outcome: 'appended', stream, revision: found.from + events.length - 1, msgId }
    })
  }

  const checked =
    (atomic: boolean) =>
    async (appends: readonly StreamAppend<Event>[], options?: AppendOptions): Promise<readonly AppendResult[]> => {
      refuse(appends, options)
      return commit(appends, atomic)
    }

  const readStream = (stream: string, from = 0) => (streams.get(stream) ?? []).slice(from).map(recordedOf)

  return {
    streams,
    store: {
      capabilities: { atomicAppend: true, inlineProjections: projections !== null },
      append: checked(false),
      appendAll: checked(true),
      readStream: async (stream, from) => readStream(stream, from),
      readStreams: async asked => {
        const found = asked.filter(stream => streams.has(stream))
        return new Map(found.map(stream => [stream, readStream(stream)]))
      },
    },
    feed: {
      read: async (after, limit) => {
        const start = after === null ? 0 : indexOf(after) + 1
        return log.slice(start, start + limit)
      },
      head: async () => log.at(-1)?.position ?? null,
    },
  }
}

const recordedOf = <Event>({ stream, revision, id, event, context }: FeedEvent<Event>) => ({
  stream,
  revision,
  id,
  event,
  context,
})

const indexOf = (position: FeedPosition): number => {
  if (!/^\d{1,15}$/.test(position)) throw new Error(`'${position.slice(0, 50)}' is not a valid feed position`)
  return Number(position)
}

const refuse = (appends: readonly StreamAppend<unknown>[], options: AppendOptions | undefined): void => {
  if (options?.within !== undefined) throw new Error('the log in memory knows no transactions')
  const empty = appends.find(append => append.events.length === 0)
  if (empty !== undefined) throw new Error(`nothing to append to '${empty.stream}': an append needs at least one event`)
  if (new Set(appends.map(append => append.stream)).size !== appends.length) {
    throw new Error('a stream stands twice in one append: put its events together')
  }
}
