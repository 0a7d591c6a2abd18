import type { Command } from 'commander'
import { defined, textOf } from '../../../application/shared/input.ts'
import type { CliDeps } from '../support/deps.ts'
import { systemUser } from '../support/input.ts'
import { withBus } from '../support/session.ts'
import { actOnEach, targetsOf } from '../troubleshooting/bulk.ts'

interface Options {
  readonly domain?: string
  readonly reason?: string
  readonly json?: true
}

export const addCancel = (program: Command, deps: CliDeps): void => {
  program
    .command('cancel')
    .description('cancel commands that no worker has started')
    .argument('<ids...>', 'the ids of the commands')
    .option('--domain <domain>', 'the domain of the commands; needed if several have an id')
    .option('--reason <text>', 'why; part of the reply')
    .option('--json', 'print JSON')
    .action(async (ids: string[], options: Options) => {
      const targets = targetsOf(ids, options.domain)
      const reason = options.reason === undefined ? undefined : textOf(options.reason, 'reason')
      const details = defined({ reason, actor: systemUser() })
      await withBus(deps, ({ bus }) =>
        actOnEach(
          bus,
          targets,
          options,
          (domain, id) => bus.cancel(domain, id, details),
          done => `Command ${done.commandId} is ${done.status}.`,
        ),
      )
    })
}
