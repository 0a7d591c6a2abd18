import type { Command } from 'commander'
import type { Principal } from '../../../application/ports/authorization.ts'
import { textOf } from '../../../application/shared/input.ts'
import { UsageError } from './failure.ts'
import { systemUser } from './input.ts'

export interface PrincipalOptions {
  readonly by?: string
  readonly tenant?: string
  readonly json?: true
}

/** Adds the options that say who acts. Access to the database gives access to every tenant, or to the one named. */
export const asPrincipal = (command: Command): Command =>
  command
    .option('--by <who>', 'who you are, for the audit (default: your user name)')
    .option('--tenant <tenant>', 'only this tenant (default: all; what is created belongs to tenant `default`)')
    .option('--json', 'print JSON')

export const principalOf = ({ by, tenant }: PrincipalOptions): Principal => {
  const subject = by ?? systemUser()
  if (subject === undefined) throw new UsageError('name yourself with --by: this account has no user name')
  return {
    subject: textOf(subject, 'by', 128),
    tenant: tenant === undefined ? null : textOf(tenant, 'tenant', 128),
  }
}
