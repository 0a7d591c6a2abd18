import type { Command } from 'commander'
import type { Asker } from '../../../application/runs/workflow-templates.ts'
import { textOf } from '../../../application/shared/input.ts'
import { UsageError } from './failure.ts'
import { systemUser } from './input.ts'

export interface AskerOptions {
  readonly by?: string
  readonly tenant?: string
  readonly json?: true
}

/** Whoever has this database asks for every tenant, or for the one that is named. */
export const asked = (command: Command): Command =>
  command
    .option('--by <who>', 'who asks, for the audit (default: your user name)')
    .option('--tenant <tenant>', 'for this tenant (default: all; new things are for tenant `default`)')
    .option('--json', 'print JSON')

export const askerOf = ({ by, tenant }: AskerOptions): Asker => {
  const subject = by ?? systemUser()
  if (subject === undefined) throw new UsageError('say who asks with --by: this account has no user name')
  return {
    subject: textOf(subject, 'by', 128),
    tenant: tenant === undefined ? null : textOf(tenant, 'tenant', 128),
  }
}
