import type { Command } from 'commander'
import type { Searchable } from '../../../application/ports/search/searchable.ts'
import { commandTypeOf, defined, domainOf } from '../../../application/shared/input.ts'
import { printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { operatorOf } from '../support/input.ts'
import { type Column, table, when } from '../text/output.ts'

interface Flags {
  readonly domain?: string
  readonly operator?: string
  readonly json?: true
}

const DOMAIN = 'only commands of this domain (default: of every domain)'

const scopeOf = (type: string, { domain }: Flags) => ({
  commandType: commandTypeOf(type),
  ...defined({ domain: domain === undefined ? undefined : domainOf(domain) }),
})

/** `search`: by which members of their payloads commands can be found. */
export const addSearch = (program: Command, deps: CliDeps): void => {
  const search = program.command('search').description('say by which members of their payloads commands can be found')

  search
    .command('declare')
    .description('make commands of a type searchable: `list --data-where orderId=ORD-30021` finds them')
    .argument('<type>', 'the type of the commands')
    .argument('<paths...>', 'members of the payload, such as orderId or customer.id')
    .option('--domain <domain>', DOMAIN)
    .option('--operator <who>', 'who you are, for the record (default: your user name)')
    .option('--json', 'print JSON')
    .action(async (type: string, paths: string[], flags: Flags) => {
      const options = { ...scopeOf(type, flags), paths, operator: operatorOf(flags.operator) }
      await printAnswer(deps, flags, async bus => {
        const items = await bus.search.declare(options)
        return [{ items }, table(items, columns)]
      })
    })

  search
    .command('drop')
    .description('end a declaration')
    .argument('<type>', 'the type of the commands')
    .argument('<path>', 'the member of the payload')
    .option('--domain <domain>', 'as it was declared')
    .option('--json', 'print JSON')
    .action(async (type: string, path: string, flags: Flags) => {
      const options = { ...scopeOf(type, flags), path }
      await printAnswer(deps, flags, async bus => {
        const dropped = await bus.search.drop(options)
        return [{ dropped }, dropped ? 'Dropped.' : 'It was not declared.']
      })
    })

  search
    .command('list')
    .description('list what is declared')
    .option('--json', 'print JSON')
    .action(async (flags: Flags) => {
      await printAnswer(deps, flags, async bus => {
        const items = await bus.search.declared()
        return [{ items }, items.length === 0 ? 'Nothing is declared.' : table(items, columns)]
      })
    })
}

const columns: readonly Column<Searchable>[] = [
  { title: 'TYPE', value: one => one.commandType },
  { title: 'PATH', value: one => one.path },
  { title: 'DOMAIN', value: one => one.domain ?? 'all' },
  { title: 'COMPLETE SINCE', value: one => when(one.filledAt) || 'not yet' },
  { title: 'BY', value: one => one.declaredBy, flexible: true },
]
