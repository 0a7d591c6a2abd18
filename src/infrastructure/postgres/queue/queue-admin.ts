import { type ClientBase, escapeIdentifier, type Pool, type PoolClient } from 'pg'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { isLockTimeout } from '../connection/errors.ts'
import { inTransaction, withClient } from '../connection/with-client.ts'
import { withUnhurriedClient } from '../transactions/unhurried.ts'
import { pgmqOn } from './pgmq-js.ts'
import { domainOfCommandQueue, kindsOf, type Querier, type QueueKind } from './queue-kinds.ts'
import { queueStats } from './queue-stats.ts'

export interface ListedQueue {
  readonly queue: string
  readonly kind: QueueKind
  /** The domain of a queue of commands; null for other queues. */
  readonly domain: string | null
  /** Whether PostgreSQL empties it after a crash. */
  readonly unlogged: boolean
  readonly depth: number
  readonly visible: number
  readonly oldestAgeSeconds: number | null
}

export interface QueueContent {
  readonly queue: string
  readonly kind: QueueKind
  readonly messages: number
  readonly archived: number
  /** Commands of the queue that are not finished. */
  readonly openCommands: number
  /** Whether any command is or was on the queue. */
  readonly hasCommands: boolean
}

/** Every queue of the database, by name. */
export const listQueues = async (pool: Pool): Promise<readonly ListedQueue[]> => {
  const made = await withClient(pool, client => pgmqOn(client).queue.list())
  const unlogged = new Set(made.filter(({ isUnlogged }) => isUnlogged).map(({ name }) => name))
  const stats = await queueStats(pool)
  const kindOf = await kindsOf(
    pool,
    stats.map(({ queue }) => queue),
  )
  return stats
    .map(({ queue, depth, visible, oldestAgeSeconds }) => ({
      queue,
      kind: kindOf(queue),
      domain: domainOfCommandQueue(queue),
      unlogged: unlogged.has(queue),
      depth,
      visible,
      oldestAgeSeconds,
    }))
    .sort((one, other) => (one.queue < other.queue ? -1 : 1))
}

const isThere = async (db: Querier, queue: string): Promise<boolean> =>
  (await db.query('select from pgmq.list_queues() where queue_name = $1::text', [queue])).rowCount !== 0

const requireQueue = async (db: Querier, queue: string): Promise<void> => {
  if (!(await isThere(db, queue))) throw new CommandBusError('QUEUE_NOT_FOUND', `there is no queue '${queue}'`)
}

const LONGEST_LOCK_MS = 10_000

/** Runs `work` in a transaction that waits only briefly for others who use the queue; `work` itself may take long. */
const withQueue = <A>(pool: Pool, queue: string, work: (client: PoolClient) => Promise<A>): Promise<A> =>
  withUnhurriedClient(pool, async client => {
    try {
      return await inTransaction(client, async () => {
        await client.query(`set local lock_timeout = ${LONGEST_LOCK_MS}`)
        return work(client)
      })
    } catch (error) {
      if (!isLockTimeout(error)) throw error
      throw new CommandBusError(
        'QUEUE_BUSY',
        `the queue '${queue}' is locked by an open transaction: try again when that has ended (pg_stat_activity shows it)`,
        { cause: error },
      )
    }
  })

/** Makes a queue; false when it exists. Message ids of a domain's queue continue after those of the domain's commands. */
export const createQueue = (pool: Pool, queue: string): Promise<boolean> =>
  withQueue(pool, queue, async client => {
    if (await isThere(client, queue)) return false
    await client.query('select command_bus_make_queue($1::text)', [queue])
    return true
  })

const messagesOf = (queue: string): string => `pgmq.${escapeIdentifier(`q_${queue}`)}`
const archiveOf = (queue: string): string => `pgmq.${escapeIdentifier(`a_${queue}`)}`

/** Counts the messages of a queue and of its archive. @throws CommandBusError QUEUE_NOT_FOUND */
export const contentOf = async (db: Querier, queue: string): Promise<QueueContent> => {
  await requireQueue(db, queue)
  const kindOf = await kindsOf(db, [queue])
  const { rows } = await db.query(
    `select (select count(*)::float8 from ${messagesOf(queue)}) as messages,
            (select count(*)::float8 from ${archiveOf(queue)}) as archived,
            (select count(*)::float8 from command_bus_command
             where domain = $1::text and queue_name = $2::text and status in ('PENDING', 'IN_PROGRESS', 'IN_TROUBLESHOOTING_QUEUE')) as open,
            exists (select from command_bus_command where domain = $1::text and queue_name = $2::text) as has`,
    [domainOfCommandQueue(queue), queue],
  )
  const [{ messages, archived, open, has }] = rows
  return { queue, kind: kindOf(queue), messages, archived, openCommands: open, hasCommands: has }
}

/** Locks the queue against readers, senders and drops until the transaction ends; takes pgmq's lock first, as pgmq does. */
const lockQueue = async (client: ClientBase, queue: string): Promise<void> => {
  const { rows } = await client.query(`select to_regprocedure('pgmq.acquire_queue_lock(text)') is not null as has`)
  if (rows[0]?.has) await client.query('select pgmq.acquire_queue_lock($1::text)', [queue])
  await requireQueue(client, queue)
  await client.query(`lock table ${messagesOf(queue)}, ${archiveOf(queue)} in access exclusive mode`)
}

/** Drops a queue, unless `refuse` throws for its content at that moment. */
export const dropQueue = (pool: Pool, queue: string, refuse: (content: QueueContent) => void): Promise<QueueContent> =>
  withQueue(pool, queue, async client => {
    await lockQueue(client, queue)
    const content = await contentOf(client, queue)
    refuse(content)
    await pgmqOn(client).queue.drop(queue)
    // the queue no longer counts against the limit
    await client.query('delete from command_bus_queue_claim where queue = $1::text', [queue])
    return content
  })

/** Removes every message of a queue, unless `refuse` throws. Returns their number. */
export const purgeQueue = (pool: Pool, queue: string, refuse: (content: QueueContent) => void): Promise<number> =>
  withQueue(pool, queue, async client => {
    await lockQueue(client, queue)
    const content = await contentOf(client, queue)
    refuse(content)
    await pgmqOn(client).queue.purge(queue)
    return content.messages
  })

const OLDER = `where enqueued_at < clock_timestamp() - make_interval(secs => $1::float8)`

export const countOlder = async (db: Querier, queue: string, ageMs: number): Promise<number> =>
  (await db.query(`select count(*)::float8 as n from ${messagesOf(queue)} ${OLDER}`, [ageMs / 1000])).rows[0].n

/** The same for messages older than `ageMs`, for which pgmq has no call. Senders go on meanwhile. */
export const purgeOlder = (
  pool: Pool,
  queue: string,
  ageMs: number,
  refuse: (content: QueueContent) => void,
): Promise<number> =>
  withQueue(pool, queue, async client => {
    refuse(await contentOf(client, queue))
    return (await client.query(`delete from ${messagesOf(queue)} ${OLDER}`, [ageMs / 1000])).rowCount ?? 0
  })
