import type { Command } from 'commander'
import type { SensitivePath } from '../../../application/sensitive/sensitive-paths.ts'
import { sensitivePathOf } from '../../../application/sensitive/sensitive-paths.ts'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { withBus } from '../support/session.ts'
import { type Column, print, table } from '../text/output.ts'

const columns: readonly Column<SensitivePath>[] = [
  { title: 'Domain', value: ({ domain }) => domain },
  { title: 'Type', value: ({ commandType }) => commandType },
  { title: 'Path', value: ({ path }) => path },
]

/** `sensitive list`, `add` and `remove`: which members of payloads and results are hidden. */
export const addSensitive = (program: Command, deps: CliDeps): void => {
  const group = program.command('sensitive').description('members of payloads and results that are hidden')
  group
    .command('list')
    .description('list what was declared, by any process')
    .option('--json', 'print JSON')
    .action((options: { readonly json?: true }) =>
      printAnswer(deps, options, async bus => {
        const items = await bus.sensitive.list()
        return [{ items }, items.length === 0 ? 'Nothing was declared sensitive.' : table(items, columns)]
      }),
    )
  group
    .command('add <domain> <type> <path>')
    .description("hide a member, such as card.number or items.*.iban; type '*' stands for all")
    .action(async (domain: string, commandType: string, path: string) => {
      const given = sensitivePathOf({ domain, commandType, path })
      await withBus(deps, ({ bus }) => bus.sensitive.add(given))
      print(`Hidden: ${path} of ${commandType} in ${domain}.`)
    })
  group
    .command('remove <domain> <type> <path>')
    .description('show a member again, to all who may read')
    .action(async (domain: string, commandType: string, path: string) => {
      const given = sensitivePathOf({ domain, commandType, path })
      if (!(await withBus(deps, ({ bus }) => bus.sensitive.remove(given)))) {
        throw new CommandBusError('NOT_FOUND', `${path} of ${commandType} in ${domain} is not declared`)
      }
      print(`Shown again: ${path} of ${commandType} in ${domain}.`)
    })
}
