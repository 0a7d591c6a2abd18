import type { Command } from 'commander'
import { type LimitOptions, limitNameOf, ruleOf } from '../../../application/flow/lane-input.ts'
import type { Limit } from '../../../application/ports/reading/lane-queries.ts'
import { defined, domainOf, instantOf, optional } from '../../../application/shared/input.ts'
import { lanesBy } from '../../../domain/flow/lane/events.ts'
import { printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { operatorOf } from '../support/input.ts'
import { type Column, table, timeColumn } from '../text/output.ts'
import { type SettingFlags, settingsOf, withOperator, withSettings } from './lane-settings.ts'

interface SetFlags extends SettingFlags {
  readonly by: LimitOptions['by']
  readonly type?: string
}

interface ListFlags {
  readonly domain?: string
  readonly at?: string
  readonly json?: true
}

/** `limits`: rules that put commands into lanes when they are sent. */
export const addLimits = (program: Command, deps: CliDeps): void => {
  const limits = program.command('limits').description('rules that put commands into lanes by type, tenant or key')

  limits
    .command('list')
    .description('the rules, by domain and name')
    .option('--domain <domain>', 'only of this domain')
    .option('--at <instant>', 'as they were then (ISO 8601)')
    .option('--json', 'print JSON')
    .action(async (flags: ListFlags) => {
      const [domain, at] = [optional(flags.domain, domainOf), optional(flags.at, value => instantOf(value, '--at'))]
      const filter = { ...(domain === null ? {} : { domain }), ...(at === null ? {} : { at }) }
      await printAnswer(deps, flags, async bus => {
        const items = await bus.limits.list(filter)
        return [{ items }, items.length === 0 ? 'No limits.' : table(items, columns)]
      })
    })

  withSettings(named(limits, 'set', 'create a rule, or change it'))
    .requiredOption('--by <what>', `what makes a lane: ${lanesBy.join(', ')}`)
    .option('--type <type>', 'only commands of this type (default: every type)')
    .action(async (domain: string, name: string, flags: SetFlags) => {
      const key = [domainOf(domain), limitNameOf(name)] as const
      const rule = ruleOf({ ...settingsOf(flags), by: flags.by, ...defined({ commandType: flags.type }) })
      await printAnswer(deps, flags, async bus => {
        const set = await bus.limits.set(...key, { ...rule, operator: operatorOf(flags.operator) })
        return [set, table([set], columns)]
      })
    })

  withOperator(named(limits, 'delete', 'remove a rule: its lanes have no limit any more')).action(
    async (domain: string, name: string, flags: { readonly operator?: string; readonly json?: true }) => {
      const key = [domainOf(domain), limitNameOf(name)] as const
      await printAnswer(deps, flags, async bus => [
        await bus.limits.delete(...key, { operator: operatorOf(flags.operator) }),
        `Limit ${key[1]} is removed.`,
      ])
    },
  )
}

const named = (limits: Command, action: string, description: string): Command =>
  limits
    .command(action)
    .description(description)
    .argument('<domain>', 'the domain of its commands')
    .argument('<name>', 'the name of the rule')

const columns: readonly Column<Limit>[] = [
  { title: 'DOMAIN', value: one => one.domain },
  { title: 'NAME', value: one => one.name },
  { title: 'TYPE', value: one => one.commandType ?? 'every type' },
  { title: 'BY', value: one => one.by },
  { title: 'WIDTH', value: one => one.width },
  { title: 'RATE', value: one => one.ratePerSecond },
  { title: 'ON PARK', value: one => one.onPark },
  { title: 'SET BY', value: one => one.updatedBy, flexible: true },
  timeColumn('SET', one => one.updatedAt),
]
