import { isLeft } from 'fp-ts/lib/Either.js'
import { EventDecodeError, type EventStore, type NewEvent } from '../../application/ports/event-store.ts'
import type { BusEvent } from '../../domain/bus-event.ts'
import type { Recorded } from '../../domain/recorded.ts'
import { busCodec } from '../../infrastructure/codec/workflow-codec.ts'
import type { MemoryEventStore } from './event-store.ts'

/** As a store writes and reads an event: in its stored form, as JSON. Nobody who reads one can change it for others. */
const again = <A extends Pick<NewEvent<BusEvent>, 'event' | 'context'>>(
  one: A,
  stream: string,
  revision: number,
): A => {
  const { type, data, meta } = busCodec.encode(one.event, one.context)
  const decoded = busCodec.decode({ type, ...JSON.parse(JSON.stringify({ data, meta })) })
  if (isLeft(decoded)) throw new EventDecodeError(stream, revision, decoded.left)
  return { ...one, ...decoded.right }
}

const copyOf = (recorded: Recorded<BusEvent>): Recorded<BusEvent> => again(recorded, recorded.stream, recorded.revision)

/** The log with events that go through their codec when they are written and when they are read. */
export const encoded = ({ store }: Pick<MemoryEventStore<BusEvent>, 'store'>): EventStore<BusEvent> => {
  const appended: (name: 'append' | 'appendAll') => EventStore<BusEvent>['append'] = name => async (appends, options) =>
    store[name](
      appends.map(append => ({ ...append, events: append.events.map(one => again(one, append.stream, -1)) })),
      options,
    )
  return {
    capabilities: store.capabilities,
    append: appended('append'),
    appendAll: appended('appendAll'),
    readStream: async (stream, from) => (await store.readStream(stream, from)).map(copyOf),
    readStreams: async streams =>
      new Map([...(await store.readStreams(streams))].map(([stream, events]) => [stream, events.map(copyOf)])),
  }
}
