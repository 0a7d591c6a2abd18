import type { Command } from 'commander'
import type { CreditEntry } from '../../../application/ports/reading/workflow-queries.ts'
import { amountOf, DEFAULT_TENANT, poolOf } from '../../../application/runs/workflow-input.ts'
import { textOf } from '../../../application/shared/input.ts'
import type { CliDeps } from '../support/deps.ts'
import { numberOf } from '../support/input.ts'
import { more } from '../support/inspect.ts'
import { asPrincipal, type PrincipalOptions, principalOf } from '../support/principal.ts'
import { withBus } from '../support/session.ts'
import { type Column, counted, print, printJson, table, when } from '../text/output.ts'

/** `credits`: tenants pay for runs with them. */
export const addCredits = (program: Command, deps: CliDeps): void => {
  const credits = program.command('credits').description("a tenant's credits: balance, ledger, grants")

  asPrincipal(credits.command('show').description('the balance, and the newest entries of the ledger')).action(
    async (options: PrincipalOptions) => {
      const tenant = tenantOf(options)
      await withBus(deps, async ({ bus }) => {
        const balance = await bus.credits.balance(tenant)
        const ledger = await bus.credits.entries(tenant)
        if (options.json) printJson({ ...balance, ledger: ledger.items, nextCursor: ledger.nextCursor })
        else {
          print(
            `Tenant ${tenant}: ${counted(balance.monthly, 'monthly credit')} (${balance.month}), ${balance.purchased} purchased.`,
          )
          if (ledger.items.length > 0) print(`\n${table(ledger.items, columns)}${more(ledger.nextCursor)}`)
        }
      })
    },
  )

  asPrincipal(credits.command('grant').description('add credits'))
    .argument('<pool>', 'monthly (for this month, in UTC) or purchased')
    .argument('<amount>', 'how many', numberOf('<amount>'))
    .requiredOption('--reason <text>', 'why, for the ledger')
    .action(async (pool: string, amount: number, options: PrincipalOptions & { readonly reason: string }) => {
      const { subject } = principalOf(options)
      const grant = { pool: poolOf(pool), amount: amountOf(amount), reason: textOf(options.reason, 'reason') }
      await withBus(deps, async ({ bus }) => {
        const balance = await bus.credits.grant(subject, tenantOf(options), grant)
        if (options.json) printJson(balance)
        else
          print(
            `Tenant ${balance.tenantId}: ${counted(balance.monthly, 'monthly credit')} (${balance.month}), ${balance.purchased} purchased.`,
          )
      })
    })
}

const tenantOf = ({ tenant }: PrincipalOptions): string =>
  tenant === undefined ? DEFAULT_TENANT : textOf(tenant, 'tenant', 128)

const columns: readonly Column<CreditEntry>[] = [
  { title: 'AT', value: entry => when(entry.at) },
  { title: 'ENTRY', value: entry => entry.kind },
  { title: 'MONTHLY', value: entry => String(entry.monthly) },
  { title: 'PURCHASED', value: entry => String(entry.purchased) },
  { title: 'LEFT', value: entry => `${entry.monthlyLeft} + ${entry.purchasedLeft}` },
  { title: 'RUN', value: entry => entry.runId },
  { title: 'REASON', value: entry => entry.reason, flexible: true },
  { title: 'BY', value: entry => entry.actor, flexible: true },
]
