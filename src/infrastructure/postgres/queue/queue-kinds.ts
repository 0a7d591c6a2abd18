import { isRight } from 'fp-ts/lib/Either.js'
import type { ClientBase, Pool } from 'pg'
import { domainOfQueue, parseDomain } from '../../../domain/command/names.ts'

/** `other`: neither its name nor one of the newest commands of a domain shows that commandbus uses it. */
export type QueueKind = 'commands' | 'replies' | 'other'

/** The domain of a command queue; null where the name is not one that commandbus makes. */
export const domainOfCommandQueue = (queue: string): string | null => {
  const domain = domainOfQueue(queue)
  return domain !== null && isRight(parseDomain(domain)) ? domain : null
}

export type Querier = Pick<ClientBase | Pool, 'query'>

/** Only this many commands of each domain are searched for queue names: an index on those would slow down every send. */
const NEWEST = 1_000

/** What each of these queues is for, by its name, or by the newest commands of the domains. */
export const kindsOf = async (db: Querier, queues: readonly string[]): Promise<(queue: string) => QueueKind> => {
  const kindByName = (queue: string): QueueKind =>
    domainOfCommandQueue(queue) !== null ? 'commands' : queue.endsWith('__replies') ? 'replies' : 'other'
  const unclear = queues.filter(queue => kindByName(queue) === 'other')
  // only names that do not show it are looked up: the table is long, and the queue may be locked meanwhile
  if (unclear.length === 0) return kindByName
  const { rows } = await db.query<{ queue: string }>(
    `select distinct newest.reply_queue as queue from pgmq.meta m
     cross join lateral (
       select reply_queue from command_bus_command
       where domain = command_bus_domain_of(m.queue_name)
       order by created_at desc, command_id desc limit ${NEWEST}
     ) newest
     where command_bus_domain_of(m.queue_name) is not null and newest.reply_queue = any ($1::text[])`,
    [unclear],
  )
  const named = new Set(rows.map(({ queue }) => queue))
  return queue => (named.has(queue) ? 'replies' : kindByName(queue))
}
