import type { ClientBase } from 'pg'
import type { FeedPosition } from '../../../application/ports/event-feed.ts'

/** The projection that makes rows, messages and the mirror of the log from a log in EventStoreDB. */
export const MIRROR_PROJECTION = 'commands'

/** @param streamPrefix of a log in EventStoreDB; written once and never changed */
export const saveCheckpoint = async (
  client: ClientBase,
  projection: string,
  position: FeedPosition,
  streamPrefix = '',
): Promise<void> => {
  await client.query({
    name: 'command_bus_checkpoint',
    text: `insert into command_bus_checkpoint (projection, position, stream_prefix) values ($1::text, $2::text, $3::text)
           on conflict (projection) do update set position = excluded.position, updated_at = clock_timestamp()`,
    values: [projection, position, streamPrefix],
  })
}

export const loadCheckpoint = async (
  client: Pick<ClientBase, 'query'>,
  projection: string,
): Promise<FeedPosition | null> => {
  const { rows } = await client.query('select position from command_bus_checkpoint where projection = $1::text', [
    projection,
  ])
  return rows[0]?.position ?? null
}
