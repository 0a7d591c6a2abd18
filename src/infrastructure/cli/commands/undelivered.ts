import type { Command } from 'commander'
import type { UndeliveredChoice, UndeliveredReply } from '../../../application/ports/reading/undelivered.ts'
import { defined, limitOf, replyQueueOf, textOf } from '../../../application/shared/input.ts'
import { allPages, printPage } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { Refused } from '../support/failure.ts'
import { numberOf, operatorOf } from '../support/input.ts'
import { withBus } from '../support/session.ts'
import { type Column, counted, plain, print, printJson, timeColumn } from '../text/output.ts'

interface ChoiceOptions {
  readonly domain?: string
  readonly queue?: string
  readonly limit?: number
  readonly json?: true
}

interface ListOptions extends ChoiceOptions {
  readonly delivered?: true
  readonly cursor?: string
}

interface DeliverOptions extends ChoiceOptions {
  readonly to?: string
  readonly operator?: string
}

const chosen = (command: Command): Command =>
  command
    .option('--domain <domain>', 'only of commands of this domain')
    .option('--queue <queue>', 'only those for this queue')
    .option('--limit <n>', 'how many, 1-500 (default: 100)', numberOf('--limit'))
    .option('--json', 'print JSON')

const choiceOf = ({ domain, queue, limit }: ChoiceOptions): UndeliveredChoice => ({
  ...defined({ domain, queue }),
  ...(limit === undefined ? {} : { limit: limitOf(limit) }),
})

/** `replies undelivered` and `replies deliver`: replies that could not be put on their queue. */
export const addUndelivered = (replies: Command, deps: CliDeps): void => {
  chosen(replies.command('undelivered').description('list replies that could not be delivered, newest first'))
    .option('--delivered', 'list those that were delivered later, and by whom')
    .option('--cursor <cursor>', 'continue after the previous page')
    .option(...allPages)
    .action(async (options: ListOptions) => {
      const filter = {
        ...choiceOf(options),
        ...(options.delivered ? { delivered: true } : {}),
        ...(options.cursor === undefined ? {} : { cursor: options.cursor }),
      }
      await printPage(
        deps,
        options,
        (bus, from) => bus.replies.undelivered({ ...filter, ...from }),
        columns,
        'No such replies.',
      )
    })

  chosen(replies.command('deliver').description('deliver them again, each once: those named, or all that match'))
    .argument('[ids...]', 'ids of replies, as `replies undelivered` lists them')
    .option('--to <queue>', 'deliver to this queue instead, if that of a reply cannot be created')
    .option('--operator <who>', 'who you are, for the audit (default: your user name)')
    .action(async (ids: string[], options: DeliverOptions) => {
      const request = {
        ...choiceOf(options),
        operator: textOf(operatorOf(options.operator), 'operator', 200),
        ...(ids.length === 0 ? {} : { replyIds: ids }),
        ...(options.to === undefined ? {} : { to: replyQueueOf(options.to, '--to') }),
      }
      await withBus(deps, async ({ bus }) => {
        const done = await bus.replies.deliverAgain(request)
        if (options.json) printJson(done)
        else {
          print(`Delivered ${counted(done.delivered, 'reply', 'replies')}.`)
          for (const { replyId, queue, reason } of done.failed) {
            print(`Reply ${replyId} to ${plain(queue)} stays undelivered: ${plain(reason)}`)
          }
        }
        if (done.failed.length > 0) throw new Refused('some replies stay undelivered')
      })
    })
}

const columns: readonly Column<UndeliveredReply>[] = [
  { title: 'ID', value: reply => reply.replyId },
  timeColumn('SINCE', reply => reply.since),
  { title: 'COMMAND', value: reply => `${reply.domain} ${reply.commandId}` },
  { title: 'QUEUE', value: reply => reply.queue, flexible: true },
  { title: 'TRIES', value: reply => reply.tries },
  { title: 'REASON', value: reply => reply.reason, flexible: true },
  timeColumn('DELIVERED', reply => reply.deliveredAt),
  { title: 'BY', value: reply => reply.deliveredBy, flexible: true },
  { title: 'TO', value: reply => (reply.deliveredTo === reply.queue ? '' : reply.deliveredTo), flexible: true },
]
