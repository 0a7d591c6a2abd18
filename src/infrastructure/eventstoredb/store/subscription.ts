import type { AllStreamRecordedEvent, EventStoreDBClient } from '@eventstore/db-client'
import type { FeedPosition } from '../../../application/ports/event-feed.ts'
import { parsePosition, positionText } from './records.ts'

/** Events, or the position up to which the subscription found none. */
export type Arrival =
  | { readonly kind: 'events'; readonly events: readonly AllStreamRecordedEvent[] }
  | { readonly kind: 'checkpoint'; readonly position: FeedPosition }

export interface Subscription {
  /** Waits for the next arrival. Rejects once the subscription has failed; it does not resume. */
  readonly next: (limit: number) => Promise<Arrival>
  /** Ends it: a waiting `next` and all later ones reject with `reason`. */
  readonly end: (reason: unknown) => void
}

export interface SubscribeOptions {
  readonly after: FeedPosition | null
  /** The beginnings of the stream names to subscribe to. */
  readonly beginnings: readonly string[]
  readonly onConfirmed: () => void
}

/** The most events that wait here; beyond it the server waits. */
const BUFFER = 250

/** `$all`, filtered by the server. */
export const subscribe = (
  client: EventStoreDBClient,
  { after, beginnings, onConfirmed }: SubscribeOptions,
): Subscription => {
  let wake = (): void => {}
  let failure: { readonly reason: unknown } | null = null
  let searched: { readonly position: FeedPosition; readonly taken: () => void } | null = null

  const stream = client.subscribeToAll(
    {
      fromPosition: after === null ? 'start' : parsePosition(after),
      filter: {
        filterOn: 'streamName',
        prefixes: [...beginnings],
        checkpointInterval: 1,
        // nothing follows until this is taken, so it counts for every event before it and none after; where events wait
        // it is passed over, as their own positions say more, and holding it would keep batches small
        checkpointReached: (_, position) =>
          stream.readableLength > 0
            ? Promise.resolve()
            : new Promise<void>(taken => {
                searched = { position: positionText(position), taken }
                wake()
              }),
      },
    },
    { highWaterMark: BUFFER },
  )
  const fail = (reason: unknown): void => {
    failure ??= { reason }
    wake()
  }
  stream.on('confirmation', onConfirmed)
  stream.on('readable', () => wake())
  stream.on('error', fail)
  stream.on('end', () => fail(new Error('EventStoreDB ended the subscription')))

  const take = (limit: number): AllStreamRecordedEvent[] => {
    const events: AllStreamRecordedEvent[] = []
    while (events.length < limit) {
      const resolved = stream.read() as { readonly event?: AllStreamRecordedEvent } | null
      if (resolved === null) break
      if (resolved.event !== undefined) events.push(resolved.event)
    }
    return events
  }

  return {
    next: async limit => {
      for (;;) {
        if (failure !== null) throw failure.reason
        const events = take(limit)
        if (events.length > 0) return { kind: 'events', events }
        if (searched !== null) {
          const { position, taken } = searched
          searched = null
          taken()
          return { kind: 'checkpoint', position }
        }
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    },
    end: reason => {
      fail(reason)
      stream.unsubscribe().catch(() => {})
      stream.destroy()
    },
  }
}
