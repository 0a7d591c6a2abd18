import type { Command } from 'commander'
import { type View, viewedLists } from '../../../application/ports/search/views.ts'
import { InvalidInputError } from '../../../application/shared/errors.ts'
import { oneOf, textOf } from '../../../application/shared/input.ts'
import { printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { operatorOf } from '../support/input.ts'
import { type Column, plain, table, when } from '../text/output.ts'

interface Flags {
  readonly tenant?: string
  readonly operator?: string
  readonly shared?: true
  readonly json?: true
}

const userOf = ({ tenant, operator }: Flags) => ({
  subject: operatorOf(operator),
  tenant: tenant === undefined ? null : textOf(tenant, '--tenant', 128),
})

const common = (command: Command): Command =>
  command
    .option('--operator <who>', 'whose views (default: your user name)')
    .option('--tenant <id>', 'of this tenant (default: of none)')
    .option('--json', 'print JSON')

/** `views`: named filters of lists, which the console shows beside its filters. */
export const addViews = (program: Command, deps: CliDeps): void => {
  const views = program.command('views').description('keep filters of lists under names, for you or for everybody')

  common(views.command('list').description('list your views and the shared ones')).action(async (flags: Flags) => {
    const user = userOf(flags)
    await printAnswer(deps, flags, async bus => {
      const items = await bus.views.list(user)
      return [{ items }, items.length === 0 ? 'No views.' : table(items, columns)]
    })
  })

  common(views.command('set').description('keep a filter under a name, or replace it'))
    .argument('<name>', 'its name')
    .argument('<filters...>', 'such as status=FAILED domain=payments; times may be relative: createdAfter=-1h')
    .option('--list <list>', viewedLists.join(' or '), 'commands')
    .option('--shared', 'everybody of the tenant sees it')
    .action(async (name: string, filters: string[], { list, ...flags }: Flags & { readonly list: string }) => {
      const user = userOf(flags)
      const view = {
        list: oneOf(viewedLists, list, '--list'),
        filter: Object.fromEntries(filters.map(pairOf)),
        shared: flags.shared === true,
      }
      await printAnswer(deps, flags, async bus => {
        const set = await bus.views.set(user, name, view)
        return [set, `Kept as ${plain(set.name)}.`]
      })
    })

  common(views.command('delete').description('delete a view'))
    .argument('<name>', 'its name')
    .option('--shared', 'the shared one')
    .action(async (name: string, flags: Flags) => {
      const user = userOf(flags)
      await printAnswer(deps, flags, async bus => {
        const deleted = await bus.views.delete(user, name, { shared: flags.shared === true })
        return [deleted, 'Deleted.']
      })
    })
}

const pairOf = (text: string): readonly [string, string] => {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new InvalidInputError('filters', 'must be names and values, such as status=FAILED')
}

const columns: readonly Column<View>[] = [
  { title: 'NAME', value: view => view.name, flexible: true },
  { title: 'LIST', value: view => view.list },
  {
    title: 'FILTER',
    value: view =>
      Object.entries(view.filter)
        .map(pair => pair.join('='))
        .join(' '),
    flexible: true,
  },
  { title: 'SHARED', value: view => (view.shared ? 'yes' : '') },
  { title: 'UPDATED', value: view => when(view.updatedAt) },
  { title: 'BY', value: view => view.updatedBy, flexible: true },
]
