import type { Command } from 'commander'
import type { OwedReply } from '../../../application/ports/reading/owed.ts'
import { lateAfterOf } from '../../../application/replies/owed-replies.ts'
import { defined, domainOf, pagingOf, textOf } from '../../../application/shared/input.ts'
import { readConfig } from '../../settings/config.ts'
import { more, printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { numberOf } from '../support/input.ts'
import { type Column, counted, table, when } from '../text/output.ts'

interface Options {
  readonly domain?: string
  readonly queue?: string
  readonly late?: true
  readonly lateAfter?: number
  readonly limit?: number
  readonly cursor?: string
  readonly json?: true
}

/** `replies owed`: the senders that wait for a reply. */
export const addOwed = (replies: Command, deps: CliDeps): void => {
  replies
    .command('owed')
    .description('list the senders that wait for a reply, oldest first')
    .option('--domain <domain>', 'only of commands of this domain')
    .option('--queue <queue>', 'only those for this queue')
    .option('--late', 'only those that wait too long')
    .option(
      '--late-after <seconds>',
      'from when on that is (default: COMMANDBUS_LATE_REPLY_SECONDS, or 3600)',
      numberOf('--late-after'),
    )
    .option('--limit <n>', 'how many, 1-500 (default: 100)', numberOf('--limit'))
    .option('--cursor <cursor>', 'continue after the previous page')
    .option('--json', 'print JSON')
    .action(async ({ domain, queue, late, lateAfter, limit, cursor, json }: Options) => {
      const filter = {
        ...defined({
          domain: domain === undefined ? undefined : domainOf(domain),
          queue: queue === undefined ? undefined : textOf(queue, '--queue', 200),
          late,
        }),
        ...pagingOf(defined({ limit, cursor })),
        lateAfterSeconds: lateAfter === undefined ? readConfig(deps.env).lateReplySeconds : lateAfterOf(lateAfter),
      }
      await printAnswer(deps, { json }, async bus => {
        const found = await bus.replies.owed(filter)
        const { items, total, late: lateOnes, oldest, nextCursor } = found
        const summary = `${counted(total, 'reply', 'replies')} owed, ${lateOnes} of them late, oldest since ${when(oldest)}`
        return [
          found,
          items.length === 0
            ? 'No sender waits for a reply.'
            : `${table(items, columns)}\n\n${summary}${more(nextCursor)}`,
        ]
      })
    })
}

const columns: readonly Column<OwedReply>[] = [
  { title: 'COMMAND', value: reply => reply.commandId },
  { title: 'DOMAIN', value: reply => reply.domain },
  { title: 'TYPE', value: reply => reply.commandType, flexible: true },
  { title: 'STATUS', value: reply => reply.status },
  { title: 'SINCE', value: reply => when(reply.since) },
  { title: 'LATE', value: reply => (reply.late ? 'late' : '') },
  { title: 'QUEUE', value: reply => reply.replyTo, flexible: true },
]
