import type { ClientBase } from 'pg'
import type { EventFeed, FeedEvent, FeedPosition } from '../../application/ports/event-feed.ts'
import { cutToFit } from '../../application/shared/fitting.ts'
import { heldBytes } from '../../application/shared/json-size.ts'
import type { Json } from '../../domain/json/json.ts'
import type { StoredEvent } from '../codec/event-codec.ts'
import { type CopiedLog, CopyLogError, type OnCopyProgress } from './stored.ts'

type Querier = Pick<ClientBase, 'query'>

const PAGE = 200

const sizeOf = ({ event: { data } }: FeedEvent<StoredEvent>): number => heldBytes(data as Json)

export const countEvents = async (client: Querier): Promise<CopiedLog> => {
  const { rows } = await client.query(
    `select count(*)::int as events, count(*) filter (where revision = 0)::int as streams from command_bus_event`,
  )
  return rows[0] as CopiedLog
}

/**
 * Compares every event of the two logs. Returns the last position of the feed, where both end.
 * @throws CopyLogError that names the first event that differs.
 */
export const compareLogs = async (
  client: Querier,
  feed: Pick<EventFeed<StoredEvent>, 'read'>,
  onProgress: OnCopyProgress,
): Promise<CopiedLog & { readonly end: FeedPosition | null }> => {
  const here = await countEvents(client)
  let end: FeedPosition | null = null
  let done = 0
  for (;;) {
    const page = await feed.read(end, PAGE)
    const last = page.at(-1)
    if (last === undefined) break
    for (const some of cutToFit(page, { most: PAGE, sizeOf })) await comparePage(client, some)
    end = last.position
    done += page.length
    onProgress({ phase: 'comparing', done, total: here.events })
  }
  if (done !== here.events) {
    throw new CopyLogError(`EventStoreDB has ${done} events, and PostgreSQL ${here.events}`)
  }
  return { ...here, end }
}

const comparePage = async (client: Querier, page: readonly FeedEvent<StoredEvent>[]): Promise<void> => {
  const { rows } = await client.query(
    `select x.stream, x.revision, e.id is null as missing
     from unnest($1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::jsonb[], $6::jsonb[])
       x(stream, revision, id, type, data, meta)
     left join command_bus_event e on e.stream = x.stream collate "C" and e.revision = x.revision
     where e.id is null or e.id <> x.id or e.type <> x.type or e.data <> x.data or e.meta <> x.meta
     limit 1`,
    [
      page.map(({ stream }) => stream),
      page.map(({ revision }) => revision),
      page.map(({ id }) => id),
      page.map(({ event }) => event.type),
      page.map(({ event }) => JSON.stringify(event.data)),
      page.map(({ event }) => JSON.stringify(event.meta)),
    ],
  )
  const [first] = rows
  if (first === undefined) return
  throw new CopyLogError(
    first.missing
      ? `event ${first.revision} of '${first.stream}' is in EventStoreDB and not in PostgreSQL`
      : `event ${first.revision} of '${first.stream}' is not the same in EventStoreDB and in PostgreSQL`,
  )
}
