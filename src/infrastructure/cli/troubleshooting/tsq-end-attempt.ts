import type { Command } from 'commander'
import { textOf } from '../../../application/shared/input.ts'
import type { CliDeps } from '../support/deps.ts'
import { operatorOf } from '../support/input.ts'
import { withBus } from '../support/session.ts'
import { planText } from '../text/dry-run-text.ts'
import { actOnEach, targetsOf } from './bulk.ts'

interface Options {
  readonly domain?: string
  readonly reason: string
  readonly dryRun?: true
  readonly operator?: string
  readonly json?: true
}

/** `tsq end-attempt`: for handlers that never end. */
export const addEndAttempt = (tsq: Command, deps: CliDeps): void => {
  tsq
    .command('end-attempt')
    .description('end the attempts of commands that are IN_PROGRESS, and park them')
    .argument('<ids...>', 'the ids of the commands')
    .option('--domain <domain>', 'where they are; needed when an id is in several')
    .requiredOption('--reason <text>', 'why, for those who find them parked')
    .option('--dry-run', 'show what would change, and what is in the way; change nothing')
    .option('--operator <who>', 'who does it, for the audit (default: your user name)')
    .option('--json', 'print JSON')
    .action(async (ids: string[], options: Options) => {
      const targets = targetsOf(ids, options.domain)
      const operator = textOf(operatorOf(options.operator), 'operator', 200)
      const reason = textOf(options.reason, 'reason')
      const asked = { operator, reason, ...(options.dryRun ? { dryRun: true } : {}) }
      await withBus(deps, ({ bus }) =>
        actOnEach(
          bus,
          targets,
          options,
          (domain, id) => bus.troubleshooting.endAttempt(domain, id, asked),
          ({ commandId, status, dryRun }) =>
            dryRun === undefined ? `The attempt was ended: command ${commandId} is ${status}.` : planText(dryRun),
        ),
      )
    })
}
