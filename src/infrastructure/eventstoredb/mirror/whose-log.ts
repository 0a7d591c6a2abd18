import type { ClientBase, Pool } from 'pg'
import { UnavailableError } from '../../../application/shared/errors.ts'
import { loadCheckpoint, MIRROR_PROJECTION } from '../../postgres/log/checkpoint.ts'

/** For a log in PostgreSQL: refuses a database that mirrors a log in EventStoreDB. */
export const assertLogIsHere = async (pool: Pool): Promise<void> => {
  if ((await loadCheckpoint(pool, MIRROR_PROJECTION)) === null) return
  throw new UnavailableError('this database mirrors a log in EventStoreDB: set EVENTSTORE_URL, or use another database')
}

/** For a log in EventStoreDB: refuses a database with its own log, which could not be read. */
export const assertLogIsThere = async (pool: Pool, streamPrefix: string): Promise<void> => {
  await assertSamePrefix(pool, streamPrefix)
  const { rows } = await pool.query(
    `select from command_bus_event
     where not exists (select from command_bus_checkpoint where projection = $1::text) limit 1`,
    [MIRROR_PROJECTION],
  )
  if (rows.length === 0) return
  throw new UnavailableError(
    'this database holds a log of its own, and EVENTSTORE_URL names another: copy the log first, or use another database',
  )
}

/** Refuses a database that mirrors the streams of another prefix. */
export const assertSamePrefix = async (
  client: Pick<ClientBase, 'query'>,
  streamPrefix: string,
  projection: string = MIRROR_PROJECTION,
): Promise<void> => {
  const { rows } = await client.query<{ readonly stream_prefix: string }>(
    'select stream_prefix from command_bus_checkpoint where projection = $1::text and stream_prefix <> $2::text',
    [projection, streamPrefix],
  )
  const [other] = rows
  if (other === undefined) return
  const named = (prefix: string): string => (prefix === '' ? 'no prefix' : `the prefix '${prefix}'`)
  throw new UnavailableError(
    `this database mirrors streams with ${named(other.stream_prefix)}, and EVENTSTORE_PREFIX gives ${named(streamPrefix)}: ` +
      'set the prefix it had, or use another database',
  )
}
