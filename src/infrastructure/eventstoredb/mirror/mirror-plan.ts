import type { FeedEvent } from '../../../application/ports/event-feed.ts'
import type { Recorded } from '../../../domain/recorded.ts'
import type { Effect } from '../../../projections/outbox.ts'
import type { StoredEvent } from '../../codec/event-codec.ts'
import type { InlineProjections, SettledAppend } from '../../postgres/log/commit-plan.ts'

/** An event of the log, with its stored parts. */
export interface Arrived<Event> {
  readonly event: FeedEvent<Event>
  readonly stored: StoredEvent
}

/** An event that is in the mirror already. */
export interface Mirrored {
  readonly id: string
  readonly msgId: string | null
}

/** Mirrored events of a batch's streams, by stream, then by revision. */
export type Mirror = ReadonlyMap<string, ReadonlyMap<number, Mirrored>>

/** An event that the projection cannot apply. */
export class FaultedError extends Error {
  override readonly name = 'FaultedError'
  readonly stream: string
  readonly revision: number
  constructor(stream: string, revision: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.stream = stream
    this.revision = revision
  }
}

/** The events of a batch that are not mirrored yet. Throws where they leave a gap. Pure. */
export const notYetMirrored = <Event>(batch: readonly Arrived<Event>[], mirror: Mirror): readonly Arrived<Event>[] => {
  const heads = new Map<string, number>()
  return batch.filter(({ event: { stream, revision, id } }) => {
    const there = mirror.get(stream)
    const found = there?.get(revision)
    if (found !== undefined) {
      if (found.id === id) return false
      throw new FaultedError(stream, revision, `the mirror in PostgreSQL holds another event: ${found.id}, not ${id}`)
    }
    const head = heads.get(stream) ?? Math.max(-1, ...(there?.keys() ?? []))
    if (revision !== head + 1) {
      throw new FaultedError(stream, revision, `the event before it is missing: the mirror ends at revision ${head}`)
    }
    heads.set(stream, revision)
    return true
  })
}

type Round<Event> = readonly SettledAppend<Event>[]

/**
 * Splits the appends of a batch into rounds, each with every stream at most once. An effect on a message that was queued or
 * archived in the same batch waits for the next round. Pure.
 */
export const roundsOf = <Event>(
  batch: readonly Arrived<Event>[],
  effects: InlineProjections<Event>['effects'],
): readonly Round<Event>[] => {
  const rounds: Map<string, { from: number; events: FeedEvent<Event>[] }>[] = []
  const places = new Map<string, { round: number; moved: boolean }>()
  for (const { event } of batch) {
    const caused = effects(event)
    const place = places.get(event.stream) ?? { round: 0, moved: false }
    if (place.moved && caused.some(isOnMessage)) {
      place.round++
      place.moved = false
    }
    place.moved ||= caused.some(effect => effect.kind !== 'reply')
    places.set(event.stream, place)
    rounds[place.round] ??= new Map()
    const streams = rounds[place.round] as (typeof rounds)[number]
    const append = streams.get(event.stream) ?? { from: event.revision, events: [] }
    append.events.push(event)
    streams.set(event.stream, append)
  }
  return rounds.map(streams =>
    [...streams].map(([stream, { from, events }]) => ({
      append: { stream, expected: from === 0 ? 'none' : from - 1, events },
      from,
    })),
  )
}

const isOnMessage = ({ kind }: Effect): boolean =>
  kind === 'delete' || kind === 'archive' || kind === 'postpone' || kind === 'resend'

/**
 * Events contain message ids of their queue. In a rebuilt mirror the queue has given new ids, so an id that the stream's
 * mirror does not know is replaced by the newest one that it knows.
 */
export const withKnownMessages = <Event>(
  effects: InlineProjections<Event>['effects'],
  messages: ReadonlyMap<string, readonly string[]>,
): InlineProjections<Event>['effects'] => {
  const known = (stream: string, id: string): string => {
    const ids = messages.get(stream) ?? []
    return ids.includes(id) ? id : (ids.at(-1) ?? id)
  }
  return (recorded: Recorded<Event>) =>
    effects(recorded).map((effect): Effect => {
      switch (effect.kind) {
        case 'delete':
        case 'archive':
        case 'postpone':
          return { ...effect, msgId: known(recorded.stream, effect.msgId) }
        case 'resend':
          return effect.archivedMsgId === null
            ? effect
            : { ...effect, archivedMsgId: known(recorded.stream, effect.archivedMsgId) }
        default:
          return effect
      }
    })
}
