import { isRight } from 'fp-ts/lib/Either.js'
import { type ClientBase, escapeIdentifier, type Pool, type PoolClient } from 'pg'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { domainOfQueue, parseDomain } from '../../../domain/command/names.ts'
import { inTransaction, withClient } from '../connection/with-client.ts'
import { withUnhurriedClient } from '../transactions/unhurried.ts'
import { pgmqOn } from './pgmq-js.ts'
import { queueFigures } from './queue-figures.ts'

/** `other`: neither its name nor one of the newest commands of a domain shows that commandbus uses it. */
export type QueueKind = 'commands' | 'replies' | 'other'

export interface ListedQueue {
  readonly queue: string
  readonly kind: QueueKind
  /** Of a queue of commands. */
  readonly domain: string | null
  /** PostgreSQL empties it after a crash. */
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
  /** Commands of the queue's domain: those that are not finished, and whether there are any at all. */
  readonly openCommands: number
  readonly hasCommands: boolean
}

/** The domain whose commands a queue is for; null where the name is not one that commandbus makes. */
export const domainOfCommandQueue = (queue: string): string | null => {
  const domain = domainOfQueue(queue)
  return domain !== null && isRight(parseDomain(domain)) ? domain : null
}

type Querier = Pick<ClientBase, 'query'>

/** Commands of each domain that are looked at for the queue they name: no index has those, as every send would pay for it. */
const NEWEST = 1_000

const kindsOf = async (db: Querier, queues: readonly string[]): Promise<(queue: string) => QueueKind> => {
  const kindByName = (queue: string): QueueKind =>
    domainOfCommandQueue(queue) !== null ? 'commands' : queue.endsWith('__replies') ? 'replies' : 'other'
  const unclear = queues.filter(queue => kindByName(queue) === 'other')
  // nothing is looked up for a name that says it: the table is long, and the queue may be locked meanwhile
  if (unclear.length === 0) return kindByName
  const { rows } = await db.query<{ queue: string }>(
    `select distinct newest.reply_queue as queue from pgmq.meta m
     cross join lateral (
       select reply_queue from command_bus_command
       where domain = replace(left(m.queue_name, -length('__commands')), '__', '.')
       order by created_at desc, command_id desc limit ${NEWEST}
     ) newest
     where m.queue_name like '%\\_\\_commands' and newest.reply_queue = any ($1::text[])`,
    [unclear],
  )
  const named = new Set(rows.map(({ queue }) => queue))
  return queue => (named.has(queue) ? 'replies' : kindByName(queue))
}

/** Every queue of the database, by name. */
export const listQueues = async (pool: Pool): Promise<readonly ListedQueue[]> => {
  const made = await withClient(pool, client => pgmqOn(client).queue.list())
  const unlogged = new Set(made.filter(({ isUnlogged }) => isUnlogged).map(({ name }) => name))
  const figures = await queueFigures(pool)
  const kindOf = await kindsOf(
    pool,
    figures.map(({ queue }) => queue),
  )
  return figures
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

/** A transaction that does not wait long for others who use the queue; what it does with a long one may take its time. */
const withQueue = <A>(pool: Pool, queue: string, work: (client: PoolClient) => Promise<A>): Promise<A> =>
  withUnhurriedClient(pool, async client => {
    try {
      return await inTransaction(client, async () => {
        await client.query(`set local lock_timeout = ${LONGEST_LOCK_MS}`)
        return work(client)
      })
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== '55P03') throw error
      throw new CommandBusError(
        'QUEUE_BUSY',
        `the queue '${queue}' is held by a transaction that stays open: try again when that has ended (pg_stat_activity shows it)`,
        { cause: error },
      )
    }
  })

/** Makes a queue; false when it is there already. A domain's queue goes on after the message ids its commands have. */
export const createQueue = (pool: Pool, queue: string): Promise<boolean> =>
  withQueue(pool, queue, async client => {
    if (await isThere(client, queue)) return false
    await client.query('select command_bus_make_queue($1::text)', [queue])
    return true
  })

const messagesOf = (queue: string): string => `pgmq.${escapeIdentifier(`q_${queue}`)}`
const archiveOf = (queue: string): string => `pgmq.${escapeIdentifier(`a_${queue}`)}`

/** What is on a queue and in its archive, counted. @throws CommandBusError QUEUE_NOT_FOUND */
export const contentOf = async (db: Querier, queue: string): Promise<QueueContent> => {
  await requireQueue(db, queue)
  const kindOf = await kindsOf(db, [queue])
  const { rows } = await db.query(
    `select (select count(*)::float8 from ${messagesOf(queue)}) as messages,
            (select count(*)::float8 from ${archiveOf(queue)}) as archived,
            (select count(*)::float8 from command_bus_command
             where domain = $1::text and status in ('PENDING', 'IN_PROGRESS', 'IN_TROUBLESHOOTING_QUEUE')) as open,
            exists (select from command_bus_command where domain = $1::text) as has`,
    [domainOfCommandQueue(queue)],
  )
  const [{ messages, archived, open, has }] = rows
  return { queue, kind: kindOf(queue), messages, archived, openCommands: open, hasCommands: has }
}

/** Nobody else reads, sends to or drops the queue until the transaction ends. pgmq's own lock comes first, as in pgmq. */
const lockQueue = async (client: ClientBase, queue: string): Promise<void> => {
  const { rows } = await client.query(`select to_regprocedure('pgmq.acquire_queue_lock(text)') is not null as has`)
  if (rows[0]?.has) await client.query('select pgmq.acquire_queue_lock($1::text)', [queue])
  await requireQueue(client, queue)
  await client.query(`lock table ${messagesOf(queue)}, ${archiveOf(queue)} in access exclusive mode`)
}

/** Drops a queue unless `refuse` throws for what it holds at that moment. */
export const dropQueue = (pool: Pool, queue: string, refuse: (content: QueueContent) => void): Promise<QueueContent> =>
  withQueue(pool, queue, async client => {
    await lockQueue(client, queue)
    const content = await contentOf(client, queue)
    refuse(content)
    await pgmqOn(client).queue.drop(queue)
    // it makes room at once
    await client.query('delete from command_bus_queue_claim where queue = $1::text', [queue])
    return content
  })

/** Takes every message off a queue, unless `refuse` throws. Gives how many they were. */
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

/** The same for messages that were put on it longer ago than `ageMs`; pgmq has no such call. Senders go on meanwhile. */
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
