import type { Command } from 'commander'
import type { CreditEntry } from '../../../application/ports/reading/workflow-queries.ts'
import type { CreditBalance } from '../../../application/runs/credits.ts'
import { amountOf, DEFAULT_TENANT, poolOf } from '../../../application/runs/workflow-input.ts'
import { textOf } from '../../../application/shared/input.ts'
import { more, printAnswer } from '../support/answer.ts'
import type { CliDeps } from '../support/deps.ts'
import { numberOf } from '../support/input.ts'
import { asPrincipal, type PrincipalOptions, principalOf } from '../support/principal.ts'
import { type Column, counted, table, timeColumn } from '../text/output.ts'

/** `credits`: tenants pay for runs with them. */
export const addCredits = (program: Command, deps: CliDeps): void => {
  const credits = program.command('credits').description("a tenant's credits: balance, ledger, grants")

  asPrincipal(credits.command('show').description('the balance, and the newest entries of the ledger')).action(
    async (options: PrincipalOptions) => {
      const tenant = tenantOf(options)
      await printAnswer(deps, options, async bus => {
        const balance = await bus.credits.balance(tenant)
        const { items, nextCursor } = await bus.credits.entries(tenant)
        const entries = items.length === 0 ? [] : [table(items, columns) + more(nextCursor)]
        return [{ ...balance, ledger: items, nextCursor }, [balanceText(balance), ...entries].join('\n\n')]
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
      await printAnswer(deps, options, async bus => {
        const balance = await bus.credits.grant(subject, tenantOf(options), grant)
        return [balance, balanceText(balance)]
      })
    })
}

const tenantOf = ({ tenant }: PrincipalOptions): string =>
  tenant === undefined ? DEFAULT_TENANT : textOf(tenant, 'tenant', 128)

const balanceText = ({ tenantId, monthly, month, purchased }: CreditBalance): string =>
  `Tenant ${tenantId}: ${counted(monthly, 'monthly credit')} (${month}), ${purchased} purchased.`

const columns: readonly Column<CreditEntry>[] = [
  timeColumn('AT', entry => entry.at),
  { title: 'ENTRY', value: entry => entry.kind },
  { title: 'MONTHLY', value: entry => String(entry.monthly) },
  { title: 'PURCHASED', value: entry => String(entry.purchased) },
  { title: 'LEFT', value: entry => `${entry.monthlyLeft} + ${entry.purchasedLeft}` },
  { title: 'RUN', value: entry => entry.runId },
  { title: 'REASON', value: entry => entry.reason, flexible: true },
  { title: 'BY', value: entry => entry.actor, flexible: true },
]
