import type { Command } from 'commander'
import type { UndeliveredChoice, UndeliveredReply } from '../../../application/ports/reading/undelivered.ts'
import { limitOf, replyQueueOf, textOf } from '../../../application/shared/input.ts'
import type { CliDeps } from '../support/deps.ts'
import { Refused } from '../support/failure.ts'
import { numberOf, operatorOf } from '../support/input.ts'
import { more } from '../support/inspect.ts'
import { withBus } from '../support/session.ts'
import { type Column, counted, plain, print, printJson, table, when } from '../text/output.ts'

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
    .option('--domain <domain>', 'of commands of this domain')
    .option('--queue <queue>', 'that were to go to this queue')
    .option('--limit <n>', 'how many, 1-500 (default: 100)', numberOf('--limit'))
    .option('--json', 'print JSON')

const choiceOf = ({ domain, queue, limit }: ChoiceOptions): UndeliveredChoice => ({
  ...(domain === undefined ? {} : { domain }),
  ...(queue === undefined ? {} : { queue }),
  ...(limit === undefined ? {} : { limit: limitOf(limit) }),
})

/** `replies undelivered` and `replies deliver`: replies that could not be put on their queue. */
export const addUndelivered = (replies: Command, deps: CliDeps): void => {
  chosen(replies.command('undelivered').description('list replies that could not be delivered, newest first'))
    .option('--delivered', 'those that were delivered later, and by whom')
    .option('--cursor <cursor>', 'go on where the page before ended')
    .action(async (options: ListOptions) => {
      const filter = {
        ...choiceOf(options),
        ...(options.delivered ? { delivered: true } : {}),
        ...(options.cursor === undefined ? {} : { cursor: options.cursor }),
      }
      await withBus(deps, async ({ bus }) => {
        const page = await bus.replies.undelivered(filter)
        if (options.json) printJson(page)
        else if (page.items.length === 0) print('No such replies.')
        else print(table(page.items, columns) + more(page.nextCursor))
      })
    })

  chosen(
    replies.command('deliver').description('deliver them again: those that are named, or all that match; each once'),
  )
    .argument('[ids...]', 'ids of replies, as `replies undelivered` lists them')
    .option('--to <queue>', 'to another queue, where a reply names one that cannot be made')
    .option('--operator <who>', 'who does it, for the record (default: your user name)')
    .action(async (ids: string[], options: DeliverOptions) => {
      const asked = {
        ...choiceOf(options),
        operator: textOf(operatorOf(options.operator), 'operator', 200),
        ...(ids.length === 0 ? {} : { replyIds: ids }),
        ...(options.to === undefined ? {} : { to: replyQueueOf(options.to, '--to') }),
      }
      await withBus(deps, async ({ bus }) => {
        const done = await bus.replies.deliverAgain(asked)
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
  { title: 'SINCE', value: reply => when(reply.since) },
  { title: 'COMMAND', value: reply => `${reply.domain} ${reply.commandId}` },
  { title: 'QUEUE', value: reply => reply.queue, flexible: true },
  { title: 'TRIES', value: reply => reply.tries },
  { title: 'REASON', value: reply => reply.reason, flexible: true },
  { title: 'DELIVERED', value: reply => when(reply.deliveredAt) },
  { title: 'BY', value: reply => reply.deliveredBy, flexible: true },
  { title: 'TO', value: reply => (reply.deliveredTo === reply.queue ? '' : reply.deliveredTo), flexible: true },
]
