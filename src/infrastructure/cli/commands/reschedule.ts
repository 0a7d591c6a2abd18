import type { Command } from 'commander'
import { defined } from '../../../application/shared/input.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { instantAhead, systemUser } from '../support/input.ts'
import { withBus } from '../support/session.ts'
import { when } from '../text/output.ts'
import { actOnEach, targetsOf } from '../troubleshooting/bulk.ts'

interface Options {
  readonly runAt?: string
  readonly now?: true
  readonly domain?: string
  readonly json?: true
}

export const addReschedule = (program: Command, deps: CliDeps): void => {
  program
    .command('reschedule')
    .description('run commands that no worker has started at another time, or at once')
    .argument('<ids...>', 'the ids of the commands')
    .option('--run-at <time>', 'not before: an ISO 8601 time, or a time from now like 30m, 12h or 7d')
    .option('--now', 'at once')
    .option('--domain <domain>', 'the domain of the commands; needed if several have an id')
    .option('--json', 'print JSON')
    .action(async (ids: string[], options: Options) => {
      const targets = targetsOf(ids, options.domain)
      if ((options.runAt === undefined) === (options.now === undefined)) {
        throw new UsageError('say when they are to run: --run-at <time>, or --now')
      }
      const time =
        options.runAt === undefined ? { delaySeconds: 0 } : { runAt: instantAhead('--run-at', options.runAt) }
      const details = { ...time, ...defined({ actor: systemUser() }) }
      await withBus(deps, ({ bus }) =>
        actOnEach(
          bus,
          targets,
          options,
          (domain, id) => bus.reschedule(domain, id, details),
          done => `Command ${done.commandId} runs ${options.now ? 'now' : `at ${when(details.runAt ?? null)}`}.`,
        ),
      )
    })
}
