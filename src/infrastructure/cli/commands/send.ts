import type { Command } from 'commander'
import { prepareSend } from '../../../application/commands/send-command.ts'
import { systemClock } from '../../../application/ports/clock.ts'
import { defined } from '../../../application/shared/input.ts'
import { printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { backoffOf, numberOf, readJson, systemUser } from '../support/input.ts'

interface Options {
  readonly data: string
  readonly id?: string
  readonly replyTo?: string
  readonly correlationId?: string
  readonly causationId?: string
  readonly maxAttempts?: number
  readonly backoff?: readonly number[]
  readonly json?: true
}

const prepare = prepareSend({ clock: systemClock, ids: { next: () => '' }, policies: new Map() })

export const addSend = (program: Command, deps: CliDeps): void => {
  program
    .command('send')
    .description('send a command')
    .argument('<domain>', 'its domain; a worker of that domain handles it')
    .argument('<type>', 'its type, which selects the handler')
    .requiredOption('--data <json>', 'the payload: JSON, @file or - for standard input; up to 1 MiB')
    .option('--id <uuid>', 'the id of the command; the same id is sent once only (default: a new one)')
    .option('--reply-to <queue>', 'the queue for the reply')
    .option('--correlation-id <text>', 'up to 128 characters (default: the id of the command)')
    .option('--causation-id <text>', 'what caused this command, up to 128 characters')
    .option('--max-attempts <n>', 'attempts in all, 1-100 (default: 3)', numberOf('--max-attempts'))
    .option(
      '--backoff <seconds>',
      'waits after failures, like 0.1,0.2; the last repeats (default: 10,60,300)',
      backoffOf,
    )
    .option('--json', 'print JSON')
    .action(async (domain: string, commandType: string, options: Options) => {
      const data = await readJson('--data', options.data)
      const actor = systemUser()
      const { id: commandId, replyTo, correlationId, causationId, maxAttempts, backoff: backoffSeconds } = options
      const details = defined({ commandId, replyTo, correlationId, causationId, maxAttempts, backoffSeconds, actor })
      prepare(domain, { ...details, commandType, data })
      await printAnswer(deps, options, async bus => {
        const sent = await bus.send(domain, commandType, data, details)
        const message = sent.msgId === null ? 'its message follows' : `message ${sent.msgId}`
        return [sent, `Sent ${sent.commandType} to ${sent.domain}: command ${sent.commandId}, ${message}.`]
      })
    })
}
