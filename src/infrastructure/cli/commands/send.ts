import type { Command } from 'commander'
import { prepareSend } from '../../../application/commands/send-command.ts'
import { systemClock } from '../../../application/ports/clock.ts'
import { InvalidInputError } from '../../../application/shared/errors.ts'
import { defined } from '../../../application/shared/input.ts'
import type { CommandBus } from '../../../command-bus.ts'
import { type Priority, priorities } from '../../../domain/flow/priority.ts'
import { printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { backoffOf, instantAhead, numberOf, readJson, systemUser } from '../support/input.ts'
import { plain, printNote } from '../text/output.ts'

interface Options {
  readonly data: string
  readonly id?: string
  readonly replyTo?: string
  readonly correlationId?: string
  readonly causationId?: string
  readonly maxAttempts?: number
  readonly backoff?: readonly number[]
  readonly runAt?: string
  readonly priority?: Priority
  readonly expiresAt?: string
  readonly key?: string
  readonly wait?: number
  readonly json?: true
}

/** In seconds. */
const MAX_WAIT = 86_400

const prepare = prepareSend({ clock: systemClock, ids: { next: () => '' }, policies: new Map() })

export const addSend = (program: Command, deps: CliDeps): void => {
  program
    .command('send')
    .description('send a command')
    .argument('<domain>', 'its domain; a worker of that domain handles it')
    .argument('<type>', 'its type, which selects the handler')
    .option('--data <json>', 'the payload: JSON, @file or - for standard input; up to 1 MiB', '{}')
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
    .option(
      '--run-at <time>',
      'not before: an ISO 8601 time, or a time from now like 30m, 12h or 7d (default: at once)',
    )
    .option('--priority <word>', `${priorities.join(', ')}: which commands workers prefer (default: normal)`)
    .option('--expires-at <time>', 'canceled if nobody has begun it by then: a time like that of --run-at')
    .option(
      '--key <text>',
      'its lane, up to 200 characters: commands of a lane run one after the other, in the order of sending',
    )
    .option('--wait <seconds>', `wait so long for its reply, 1-${MAX_WAIT}, and print that`, numberOf('--wait'))
    .option('--json', 'print JSON')
    .action(async (domain: string, commandType: string, options: Options) => {
      const data = await readJson('--data', options.data)
      const actor = systemUser()
      const { id: commandId, backoff: backoffSeconds, data: _, json: __, wait, ...given } = options
      if (wait !== undefined && (wait < 1 || wait > MAX_WAIT))
        throw new InvalidInputError('--wait', `must be from 1 to ${MAX_WAIT}`)
      const details = defined({
        ...given,
        commandId,
        backoffSeconds,
        actor,
        runAt: options.runAt === undefined ? undefined : instantAhead('--run-at', options.runAt),
        expiresAt: options.expiresAt === undefined ? undefined : instantAhead('--expires-at', options.expiresAt),
      })
      prepare(domain, { ...details, commandType, data })
      await printAnswer(deps, options, async bus => {
        if (wait !== undefined) {
          if (!options.json) await noteMissingWorker(bus, domain, commandType)
          const reply = await bus.request(domain, commandType, data, { ...details, timeoutMs: wait * 1000 })
          return [
            reply,
            `Command ${reply.commandId} is COMPLETED, with the result ${plain(JSON.stringify(reply.data))}`,
          ]
        }
        const sent = await bus.send(domain, commandType, data, details)
        if (!options.json) await noteMissingWorker(bus, domain, commandType)
        const message = sent.msgId === null ? 'its message follows' : `message ${sent.msgId}`
        return [sent, `Sent ${sent.commandType} to ${sent.domain}: command ${sent.commandId}, ${message}.`]
      })
    })
}

/** For people, on standard error, if nobody works; a role that may not ask gets no note. */
const noteMissingWorker = async (bus: CommandBus, domain: string, commandType: string): Promise<void> => {
  const isHandled = await bus.workers.handles(domain, commandType).catch(() => true)
  if (!isHandled) printNote(`No worker for ${commandType} in ${domain}: it waits until one starts.`)
}
