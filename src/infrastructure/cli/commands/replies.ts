import type { Command } from 'commander'
import type { Pool, PoolClient } from 'pg'
import { parseReply } from '../../../application/replies/reply.ts'
import { hide } from '../../../application/sensitive/hide.ts'
import { CommandBusError, InvalidInputError } from '../../../application/shared/errors.ts'
import { replyQueueOf } from '../../../application/shared/input.ts'
import { replyErrorOf } from '../../../domain/flow/reply-error.ts'
import { instant } from '../../postgres/connection/instant.ts'
import { inTransaction, withClient } from '../../postgres/connection/with-client.ts'
import { createSensitivePaths } from '../../postgres/sensitive/sensitive-store.ts'
import { withPool } from '../../service/database.ts'
import { readConfig } from '../../settings/config.ts'
import type { CliDeps } from '../support/deps.ts'
import { numberOf } from '../support/input.ts'
import { withDatabase } from '../support/session.ts'
import { type Column, plain, print, printJson, table, timeColumn } from '../text/output.ts'
import { addOwed } from './owed.ts'
import { addUndelivered } from './undelivered.ts'

interface Options {
  readonly count: number
  readonly keep?: true
  readonly json?: true
}

interface Reply {
  readonly msgId: string
  readonly readCount: number
  readonly enqueuedAt: string
  readonly message: Record<string, unknown>
}

const MAX_COUNT = 1000
/** Their visibility timeout: after a crash between reading and deleting they can be read again. */
const HIDDEN_SECONDS = 30

export const addReplies = (program: Command, deps: CliDeps): void => {
  const replies = program
    .command('replies')
    .description('read replies, list those that are owed, and deliver those that could not be delivered')
  addOwed(replies, deps)
  addUndelivered(replies, deps)
  replies
    .command('read')
    .description('print the replies on a queue, oldest first, and take them off it')
    .argument('<queue>', 'the queue that was given as --reply-to')
    .option('--count <n>', `how many at most, 1-${MAX_COUNT}`, numberOf('--count'), 100)
    .option('--keep', 'leave them on the queue')
    .option('--json', 'print JSON')
    .action(async (given: string, options: Options) => {
      const queue = replyQueueOf(given, 'queue')
      if (options.count < 1 || options.count > MAX_COUNT) {
        throw new InvalidInputError('--count', `must be a whole number from 1 to ${MAX_COUNT}`)
      }
      await withDatabase(readConfig(deps.env), database =>
        withPool(database, async pool => {
          await requireQueue(pool, queue)
          const found = await read(pool, queue, options.count, options.keep ? 0 : HIDDEN_SECONDS)
          const items = deps.reveal?.() === true ? found : await hidden(pool, found)
          if (options.json) printJson({ items })
          else print(items.length === 0 ? `No replies on ${queue}.` : table(items, columns))
          if (!options.keep && items.length > 0) {
            const done = items.map(reply => reply.msgId)
            await inPgmq(pool, client => client.query('select pgmq.delete($1::text, $2::bigint[])', [queue, done]))
          }
        }),
      )
    })
}

/** Without the members that were declared sensitive; by the type that a reply names, and all of its domain where it names none. */
const hidden = async (pool: Pool, found: readonly Reply[]): Promise<readonly Reply[]> => {
  const paths = await createSensitivePaths(pool).known()
  return found.map(one => {
    const { domain = null, commandType = null } = parseReply(one.message) ?? {}
    return hide(one, { paths, reveals: () => false }, { domain, commandType })
  })
}

const requireQueue = async (pool: Pool, queue: string): Promise<void> => {
  const { rowCount } = await pool.query('select from pgmq.meta where queue_name = $1', [queue])
  if (rowCount === 0) {
    throw new CommandBusError(
      'QUEUE_NOT_FOUND',
      `there is no queue '${queue}': the first command that names it creates it`,
    )
  }
}

/** pgmq's functions need standard strings; the role may have set something else for its session. */
const inPgmq = <A>(pool: Pool, work: (client: PoolClient) => Promise<A>): Promise<A> =>
  withClient(pool, client =>
    inTransaction(client, async () => {
      await client.query('set local standard_conforming_strings = on')
      return work(client)
    }),
  )

const read = async (pool: Pool, queue: string, count: number, hidden: number): Promise<readonly Reply[]> => {
  const { rows } = await inPgmq(pool, client =>
    client.query(
      `select msg_id, read_ct, ${instant('enqueued_at')} as enqueued_at, message from pgmq.read($1::text, $2::int, $3::int) order by msg_id`,
      [queue, hidden, count],
    ),
  )
  return rows.map(row => ({
    msgId: row.msg_id,
    readCount: row.read_ct,
    enqueuedAt: row.enqueued_at,
    message: row.message,
  }))
}

/** As this bus writes an error, or as other libraries do. */
const errorOf = ({ message }: Reply): string => {
  const { code, message: said } = replyErrorOf(message) ?? {}
  return code === undefined && said === undefined
    ? ''
    : [code, said]
        .filter(one => one !== undefined)
        .map(plain)
        .join(': ')
}

const columns: readonly Column<Reply>[] = [
  timeColumn('TIME', reply => reply.enqueuedAt),
  { title: 'COMMAND', value: reply => reply.message.command_id },
  { title: 'TYPE', value: reply => reply.message.type, flexible: true },
  { title: 'OUTCOME', value: reply => reply.message.outcome },
  { title: 'RESULT', value: reply => reply.message.result ?? reply.message.data, flexible: true },
  { title: 'ERROR', value: errorOf, flexible: true },
]
