import type { Command } from 'commander'
import type { Stranger, StrangerChoice } from '../../../application/ports/strangers.ts'
import { commandTypeOf, defined, limitOf, replyQueueOf, textOf } from '../../../application/shared/input.ts'
import { allPages, printPage } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { Refused, UsageError } from '../support/failure.ts'
import { numberOf, operatorOf } from '../support/input.ts'
import { withBus } from '../support/session.ts'
import { type Column, counted, plain, print, printJson, timeColumn } from '../text/output.ts'

interface ChoiceOptions {
  readonly domain?: string
  readonly queue?: string
  readonly messageType?: string
  readonly limit?: number
  readonly cursor?: string
  readonly json?: true
}

interface SettleOptions extends ChoiceOptions {
  readonly all?: true
  readonly operator?: string
}

interface AdoptOptions extends SettleOptions {
  readonly commandType?: string
  readonly replyTo?: string | false
  readonly asNew?: true
}

const chosen = (command: Command): Command =>
  command
    .option('--domain <domain>', 'only those of this domain')
    .option('--queue <queue>', 'only those that were found on this queue')
    .option('--message-type <type>', 'only those whose message names this command type')
    .option('--limit <n>', 'how many, 1-500 (default: 100)', numberOf('--limit'))
    .option('--cursor <cursor>', 'continue after the previous page')
    .option('--json', 'print JSON')

const settling = (command: Command): Command =>
  chosen(command)
    .argument(
      '[ids...]',
      'ids of strangers, as `strangers list` shows them; without them, say which by filters or --all',
    )
    .option('--all', 'all that match, oldest first')
    .option('--operator <who>', 'who you are, for the record (default: your user name)')

const choiceOf = ({ domain, queue, messageType, limit, cursor }: ChoiceOptions) => ({
  ...(defined({ domain, queue, messageType, cursor }) satisfies StrangerChoice),
  ...(limit === undefined ? {} : { limit: limitOf(limit) }),
})

/** @throws UsageError without any choice, which would mean everything */
const settled = (ids: readonly string[], options: SettleOptions) => {
  const { domain, queue, messageType, all } = options
  if (ids.length === 0 && !all && domain === undefined && queue === undefined && messageType === undefined)
    throw new UsageError('say which: ids, --domain, --queue, --message-type or --all')
  return {
    ...choiceOf(options),
    operator: textOf(operatorOf(options.operator), 'operator', 200),
    ...(ids.length === 0 ? {} : { strangerIds: ids }),
  }
}

/** Repeats a call for one page after the other, if all are asked for. */
const pages = async <Done extends { readonly nextCursor: string | null }>(
  { all }: SettleOptions,
  call: (after: { readonly cursor?: string }) => Promise<Done>,
): Promise<readonly Done[]> => {
  const done = [await call({})]
  for (let next = done[0]?.nextCursor ?? null; all && next !== null; next = done.at(-1)?.nextCursor ?? null) {
    done.push(await call({ cursor: next }))
  }
  return done
}

const more = (nextCursor: string | null): void => {
  if (nextCursor !== null) print(`There may be more: repeat with --cursor ${nextCursor}, or with --all.`)
}

/** `strangers list`, `adopt` and `drop`: messages of other programs on queues of commands. */
export const addStrangers = (program: Command, deps: CliDeps): void => {
  const strangers = program
    .command('strangers')
    .description('list, adopt or drop messages on command queues that no command of this bus sent')

  chosen(strangers.command('list').description('list them, newest first'))
    .option('--settled', 'list those that were adopted or dropped, and by whom')
    .option(...allPages)
    .action(async (options: ChoiceOptions & { readonly settled?: true }) => {
      const filter = { ...choiceOf(options), ...(options.settled ? { settled: true } : {}) }
      const columns = options.settled ? settledColumns : waitingColumns
      await printPage(
        deps,
        options,
        (bus, from) => bus.strangers.list({ ...filter, ...from }),
        columns,
        'No such messages.',
      )
    })

  settling(strangers.command('adopt').description('make commands of them, each once; what cannot be one stays'))
    .option('--command-type <type>', 'the type of the commands, instead of the one that the messages name')
    .option('--reply-to <queue>', 'the queue for replies, instead of the one that the messages name')
    .option('--no-reply-to', 'no replies')
    .option('--as-new', 'with new ids, and whatever domain the messages name')
    .action(async (ids: string[], options: AdoptOptions) => {
      const { replyTo, commandType } = options
      const request = {
        ...settled(ids, options),
        ...(commandType === undefined ? {} : { commandType: commandTypeOf(commandType) }),
        ...(replyTo === false ? { replyTo: null } : {}),
        ...(typeof replyTo === 'string' ? { replyTo: replyQueueOf(replyTo, '--reply-to') } : {}),
        ...(options.asNew ? { asNew: true } : {}),
      }
      await withBus(deps, async ({ bus }) => {
        const done = await pages(options, after => bus.strangers.adopt({ ...request, ...after }))
        const adopted = done.flatMap(one => one.adopted)
        const failed = done.flatMap(one => one.failed)
        const nextCursor = done.at(-1)?.nextCursor ?? null
        if (options.json) printJson({ adopted, failed, nextCursor })
        else {
          print(`Adopted ${counted(adopted.length, 'message')}.`)
          for (const { strangerId, reason } of failed) print(`${strangerId} stays: ${plain(reason)}`)
          more(nextCursor)
        }
        if (failed.length > 0) throw new Refused('some messages were not adopted')
      })
    })

  settling(strangers.command('drop').description('give them up: their messages are deleted'))
    .requiredOption('--reason <text>', 'why, for the record')
    .action(async (ids: string[], options: SettleOptions & { readonly reason: string }) => {
      const request = { ...settled(ids, options), reason: textOf(options.reason, '--reason') }
      await withBus(deps, async ({ bus }) => {
        const done = await pages(options, after => bus.strangers.drop({ ...request, ...after }))
        const dropped = done.reduce((sum, one) => sum + one.dropped, 0)
        const nextCursor = done.at(-1)?.nextCursor ?? null
        if (options.json) printJson({ dropped, nextCursor })
        else {
          print(`Dropped ${counted(dropped, 'message')}.`)
          more(nextCursor)
        }
      })
    })
}

const found: readonly Column<Stranger>[] = [
  { title: 'ID', value: one => one.strangerId },
  timeColumn('FOUND', one => one.foundAt),
  { title: 'QUEUE', value: one => one.queue, flexible: true },
  { title: 'MSG', value: one => one.msgId },
]

const messageOf = ({ message, messageBytes, messagePreview }: Stranger): unknown =>
  messageBytes === undefined ? message : `(${messageBytes} bytes) ${messagePreview ?? ''}…`

const waitingColumns: readonly Column<Stranger>[] = [
  ...found,
  { title: 'READS', value: one => one.reads },
  { title: 'WHY', value: one => one.why, flexible: true },
  { title: 'MESSAGE', value: messageOf, flexible: true },
]

const settledColumns: readonly Column<Stranger>[] = [
  ...found,
  { title: 'OUTCOME', value: one => one.outcome },
  { title: 'BY', value: one => one.settledBy, flexible: true },
  timeColumn('AT', one => one.settledAt),
  { title: 'COMMAND', value: one => one.commandId },
  { title: 'REASON', value: one => one.reason, flexible: true },
]
