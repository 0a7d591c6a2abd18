import type { Command } from 'commander'
import type { ClientBase, Pool } from 'pg'
import { type FigureRange, figureRanges, type QueueFigures } from '../../../application/ports/reading/figures.ts'
import { CommandBusError, InvalidInputError } from '../../../application/shared/errors.ts'
import { domainOf, oneOf, queueOf } from '../../../application/shared/input.ts'
import { commandQueue } from '../../../domain/command/names.ts'
import { otherPriorities } from '../../../domain/flow/priority.ts'
import { createFigureQueries } from '../../postgres/figures/figures.ts'
import {
  contentOf,
  countOlder,
  createQueue,
  dropQueue,
  type ListedQueue,
  listQueues,
  purgeOlder,
  purgeQueue,
  type QueueContent,
} from '../../postgres/queue/queue-admin.ts'
import { domainOfCommandQueue } from '../../postgres/queue/queue-kinds.ts'
import { assertSchemaCurrent } from '../../postgres/schema/schema-version.ts'
import { withUnhurriedClient } from '../../postgres/transactions/unhurried.ts'
import { withPool } from '../../service/database.ts'
import { readConfig } from '../../settings/config.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { again, ageOf } from '../support/input.ts'
import { withDatabase } from '../support/session.ts'
import { type Column, counted, print, printJson, table } from '../text/output.ts'

interface JsonOption {
  readonly json?: true
}

interface CreateOptions extends JsonOption {
  readonly domain?: readonly string[]
  readonly priority?: readonly string[]
  readonly replyTo?: readonly string[]
}

interface RemoveOptions extends JsonOption {
  readonly notOurs?: true
  readonly dryRun?: true
}

interface DropOptions extends RemoveOptions {
  readonly discard?: true
}

interface PurgeOptions extends RemoveOptions {
  readonly all?: true
  readonly olderThan?: string
}

/** `queues`: manage pgmq's queues. */
export const addQueues = (program: Command, deps: CliDeps): void => {
  const queues = program.command('queues').description('create, list, drop and purge queues')
  const withQueues = <A>(body: (pool: Pool) => Promise<A>): Promise<A> =>
    withDatabase(readConfig(deps.env), database =>
      withPool(database, async pool => {
        await assertSchemaCurrent(pool)
        return body(pool)
      }),
    )

  queues
    .command('list')
    .description('list every queue of the database, with what waits on it')
    .option('--range <range>', `how far back the rates go: ${figureRanges.join(', ')} (default: 15m)`)
    .option('--json', 'print JSON')
    .action(async ({ range, json }: JsonOption & { readonly range?: string }) => {
      const asked = range === undefined ? '15m' : oneOf(figureRanges, range, '--range')
      const items = await withQueues(pool => listWithFigures(pool, asked))
      if (json) printJson({ items: items.map(item => ({ ...item, ours: item.kind !== 'other' })) })
      else print(items.length === 0 ? 'There are no queues.' : table(items, columns))
    })

  queues
    .command('create')
    .description('create queues before the first message needs them')
    .option('--domain <domain>', 'the queue for commands of this domain (may be repeated)', again)
    .option(
      '--priority <word>',
      `also that of their commands of this priority: ${otherPriorities.join(', ')} (may be repeated)`,
      again,
    )
    .option('--reply-to <queue>', 'a queue for replies (may be repeated)', again)
    .option('--json', 'print JSON')
    .action(async (options: CreateOptions) => {
      const wanted = wantedOf(options)
      await withQueues(async pool => {
        const items = []
        for (const queue of wanted) items.push({ queue, created: await createQueue(pool, queue) })
        if (options.json) printJson({ items })
        else {
          const lines = items.map(
            ({ queue, created }) => `Queue ${queue} ${created ? 'was created' : 'exists already'}.`,
          )
          print(lines.join('\n'))
        }
      })
    })

  removing(queues.command('drop').description('drop a queue that is empty, with its empty archive'))
    .option('--discard', 'also delete its messages, those in its archive, and the proof of commands that were on it')
    .action(async (given: string, options: DropOptions) => {
      const queue = queueOf(given, 'queue')
      const refuse = (content: QueueContent): void => refuseDrop(content, options)
      await withQueues(async pool => {
        const { kind, messages, archived } = options.dryRun
          ? await withUnhurriedClient(pool, client => checkedContent(client, queue, refuse))
          : await dropQueue(pool, queue, refuse)
        if (options.json) printJson({ queue, kind, messages, archived, ...dryOf(options) })
        else
          print(done(options, 'drop', `${queue} with ${counted(messages, 'message')} and ${archived} in its archive`))
      })
    })

  removing(queues.command('purge').description('take replies off a queue without reading them'))
    .option('--all', 'all replies')
    .option('--older-than <age>', 'replies that were sent longer ago, like 30d')
    .action(async (given: string, options: PurgeOptions) => {
      const queue = queueOf(given, 'queue')
      if ((options.all === undefined) === (options.olderThan === undefined)) {
        throw new UsageError('choose which replies to remove: --older-than <age>, or --all')
      }
      const age = options.all ? null : ageOf(options.olderThan)
      const refuse = (content: QueueContent): void => refusePurge(content, options)
      await withQueues(async pool => {
        const purged = options.dryRun
          ? await countPurged(pool, queue, age, refuse)
          : await purge(pool, queue, age, refuse)
        if (options.json) printJson({ queue, purged, ...dryOf(options) })
        else print(done(options, 'purge', `${counted(purged, 'message')} of ${queue}`))
      })
    })
}

type ListedFigures = ListedQueue & QueueFigures

const listWithFigures = async (pool: Pool, range: FigureRange): Promise<readonly ListedFigures[]> => {
  const figures = new Map((await createFigureQueries(pool).queues({ range })).items.map(item => [item.queue, item]))
  return (await listQueues(pool)).flatMap(queue => {
    const own = figures.get(queue.queue)
    return own === undefined ? [] : [{ ...own, ...queue }]
  })
}

const removing = (command: Command): Command =>
  command
    .argument('<queue>', 'its name, as `queues list` prints it')
    .option('--not-ours', 'also if nothing shows that the queue belongs to commandbus')
    .option('--dry-run', 'say what would be removed, or why not; change nothing')
    .option('--json', 'print JSON')

const wantedOf = ({ domain = [], priority = [], replyTo = [] }: CreateOptions): ReadonlySet<string> => {
  if (domain.length + replyTo.length === 0)
    throw new UsageError('name a queue: --domain <domain> or --reply-to <queue>')
  const replies = replyTo.map(given => {
    const queue = queueOf(given, 'replyTo')
    const owner = domainOfCommandQueue(queue)
    if (owner === null) return queue
    throw new InvalidInputError(
      'replyTo',
      `'${queue}' is the queue for commands of domain '${owner}': create it with --domain ${owner}, or choose another name`,
    )
  })
  const used = ['normal' as const, ...priority.map(given => oneOf(otherPriorities, given, '--priority'))]
  const commands = domain.flatMap(given => {
    const known = domainOf(given)
    return used.map(one => queueOf(commandQueue(known, one), '--priority'))
  })
  return new Set([...commands, ...replies])
}

const refuseOthers = ({ queue, kind }: QueueContent, { notOurs }: RemoveOptions): void => {
  if (kind !== 'other' || notOurs) return
  throw new CommandBusError(
    'QUEUE_NOT_OURS',
    `nothing shows that the queue '${queue}' belongs to commandbus: use --not-ours if you may remove from it`,
  )
}

const refuseDrop = (content: QueueContent, options: DropOptions): void => {
  refuseOthers(content, options)
  const { queue, messages, archived, openCommands, hasCommands } = content
  if (openCommands > 0) {
    throw new CommandBusError(
      'QUEUE_IN_USE',
      `the queue '${queue}' has ${counted(openCommands, 'unfinished command')}: let them finish, or cancel them, first`,
    )
  }
  if (options.discard) return
  if (messages > 0 || archived > 0) {
    throw new CommandBusError(
      'QUEUE_NOT_EMPTY',
      `the queue '${queue}' has ${counted(messages, 'message')} and ${archived} in its archive: use --discard to delete them`,
    )
  }
  if (hasCommands) {
    throw new CommandBusError(
      'QUEUE_HAS_HISTORY',
      `finished commands were on the queue '${queue}', and \`commandbus verify\` needs it: ` +
        'move them out with `commandbus archive` first, or use --discard',
    )
  }
}

const refusePurge = (content: QueueContent, options: PurgeOptions): void => {
  if (content.kind === 'commands') {
    throw new CommandBusError(
      'QUEUE_OF_COMMANDS',
      `the queue '${content.queue}' has commands, which are never purged: cancel them with \`commandbus cancel\``,
    )
  }
  refuseOthers(content, options)
}

const checkedContent = async (
  db: ClientBase,
  queue: string,
  refuse: (content: QueueContent) => void,
): Promise<QueueContent> => {
  const content = await contentOf(db, queue)
  refuse(content)
  return content
}

type Purge = (pool: Pool, queue: string, age: number | null, refuse: (content: QueueContent) => void) => Promise<number>

const purge: Purge = (pool, queue, age, refuse) =>
  age === null ? purgeQueue(pool, queue, refuse) : purgeOlder(pool, queue, age, refuse)

const countPurged: Purge = (pool, queue, age, refuse) =>
  withUnhurriedClient(pool, async client => {
    const { messages } = await checkedContent(client, queue, refuse)
    return age === null ? messages : countOlder(client, queue, age)
  })

const dryOf = ({ dryRun }: RemoveOptions) => (dryRun ? { dryRun } : {})

const done = ({ dryRun }: RemoveOptions, verb: 'drop' | 'purge', what: string): string =>
  dryRun ? `Would ${verb} ${what}. Nothing was done.` : `${verb === 'drop' ? 'Dropped' : 'Purged'} ${what}.`

/** As long as this without a read is worth a word. */
const UNREAD_SECONDS = 600

const noteOf = ({ unlogged, unreadSeconds }: ListedFigures): string =>
  [
    ...(unlogged ? ['unlogged: emptied by a crash'] : []),
    ...(unreadSeconds !== null && unreadSeconds >= UNREAD_SECONDS ? [`not read for ${unreadSeconds} s`] : []),
  ].join('; ')

const columns: readonly Column<ListedFigures>[] = [
  { title: 'QUEUE', value: item => item.queue },
  { title: 'FOR', value: item => (item.domain === null ? item.kind : `${item.kind} of ${item.domain}`) },
  { title: 'MESSAGES', value: item => String(item.depth) },
  { title: 'READY', value: item => String(item.visible) },
  { title: 'IN FLIGHT', value: item => (item.inFlight === 0 ? '' : String(item.inFlight)) },
  { title: 'DELAYED', value: item => (item.delayed === 0 ? '' : String(item.delayed)) },
  { title: 'IN/MIN', value: item => item.inPerMinute ?? '' },
  { title: 'OUT/MIN', value: item => item.outPerMinute ?? '' },
  { title: 'TOTAL', value: item => String(item.total) },
  { title: 'OLDEST', value: item => (item.oldestAgeSeconds === null ? '' : `${item.oldestAgeSeconds} s`) },
  { title: 'NOTE', value: noteOf },
]
