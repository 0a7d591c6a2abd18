import type { ClientBase } from 'pg'
import type { AppendResult, EventStore, StreamAppend } from '../../../application/ports/event-store.ts'
import { InvalidInputError } from '../../../application/shared/errors.ts'
import type { Recorded } from '../../../domain/recorded.ts'
import type { EventCodec } from '../../codec/event-codec.ts'
import { decodeRow, type EventRow } from '../../postgres/log/event-store.ts'

type Querier = Pick<ClientBase, 'query'>

/**
 * The store, with the ability to begin streams in the caller's transaction. An append becomes an intent in PostgreSQL, which
 * commits or rolls back with the caller's data; the relay appends it afterwards. In such a transaction reads come from the
 * mirror and may miss a command that another process sent a moment ago.
 */
export const withIntents = <Event>(
  store: EventStore<Event>,
  codec: EventCodec<Event>,
  onWritten: () => void,
): EventStore<Event> => ({
  ...store,
  append: async (appends, options) => {
    if (options?.within === undefined) return store.append(appends, options)
    const results = await writeIntents(options.within as Querier, appends, codec)
    onWritten()
    return results
  },
  readStreams: (streams, options) =>
    options?.within === undefined
      ? store.readStreams(streams, options)
      : readKnown(options.within as Querier, streams, codec),
})

const writeIntents = async <Event>(
  client: Querier,
  appends: readonly StreamAppend<Event>[],
  codec: EventCodec<Event>,
): Promise<readonly AppendResult[]> => {
  const written = appends.map(({ stream, expected, events: [first, ...more] }) => {
    if (expected !== 'none' || first === undefined || more.length > 0) {
      throw new InvalidInputError('client', 'with the log in EventStoreDB, your transaction can only send new commands')
    }
    return { stream, id: first.id, ...codec.encode(first.event, first.context) }
  })
  const { rows } = await client.query(
    `insert into command_bus_intent (stream, event_id, type, data, meta)
     select x.stream, x.event_id, x.type, x.data, x.meta
     from unnest($1::text[], $2::uuid[], $3::text[], $4::jsonb[], $5::jsonb[])
       with ordinality x(stream, event_id, type, data, meta, place)
     where not exists (
       select from command_bus_event e where e.stream = x.stream collate "C" and e.revision = 0)
     order by x.place
     on conflict (stream) do nothing
     returning stream`,
    [
      written.map(({ stream }) => stream),
      written.map(({ id }) => id),
      written.map(({ type }) => type),
      written.map(({ data }) => JSON.stringify(data)),
      written.map(({ meta }) => JSON.stringify(meta)),
    ],
  )
  const won = new Set(rows.map(row => row.stream))
  return appends.map(
    ({ stream }): AppendResult =>
      won.has(stream) ? { outcome: 'appended', stream, revision: 0, msgId: null } : { outcome: 'conflict', stream },
  )
}

/** Streams from the mirror and the intents. */
const readKnown = async <Event>(
  client: Querier,
  streams: readonly string[],
  codec: EventCodec<Event>,
): Promise<ReadonlyMap<string, readonly Recorded<Event>[]>> => {
  const { rows } = await client.query(
    `select stream, revision, id, type, data, meta from command_bus_event where stream = any ($1::text[])
     union all
     select i.stream, 0, i.event_id, i.type, i.data, i.meta from command_bus_intent i
     where i.stream = any ($1::text[])
       and not exists (select from command_bus_event e where e.stream = i.stream and e.revision = 0)
     order by stream, revision`,
    [streams],
  )
  const found = new Map<string, Recorded<Event>[]>()
  for (const row of rows as EventRow[]) {
    found.set(row.stream, [...(found.get(row.stream) ?? []), decodeRow(codec, row)])
  }
  return found
}
