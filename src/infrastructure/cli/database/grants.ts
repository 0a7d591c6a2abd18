import type { Command } from 'commander'
import { withClient } from '../../postgres/connection/with-client.ts'
import { type Grantee, grant, grantStatements, type RoleKind, roleKinds } from '../../postgres/rights/grants.ts'
import { schemaStatus } from '../../postgres/schema/schema-version.ts'
import { withPool } from '../../service/database.ts'
import { readConfig } from '../../settings/config.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { again } from '../support/input.ts'
import { withDatabase } from '../support/session.ts'
import { print, printJson } from '../text/output.ts'

interface Options extends Partial<Readonly<Record<RoleKind, readonly string[]>>> {
  readonly apply?: true
  readonly json?: true
}

const meaning: Readonly<Record<RoleKind, string>> = {
  sender: 'sends and cancels commands and takes replies',
  worker: 'runs handlers',
  operator: 'reads everything, acts on parked commands and runs the service',
  reader: 'reads everything',
}

export const addGrants = (program: Command, deps: CliDeps): void => {
  const command = program
    .command('grants')
    .description('print the rights that other database roles need, or grant them; the role that migrates has them')
  for (const kind of roleKinds)
    command.option(`--${kind} <role>`, `a role that ${meaning[kind]} (may be repeated)`, again)
  command
    .option('--apply', 'grant them, as the role that migrates')
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const grantees = roleKinds.flatMap(kind => (options[kind] ?? []).map((role): Grantee => ({ kind, role })))
      if (grantees.length === 0) throw new UsageError(`name a role: --${roleKinds.join(' <role>, --')} <role>`)
      await withDatabase(readConfig(deps.env), database =>
        withPool(database, async pool => {
          await schemaStatus(pool)
          const statements = await withClient(pool, client =>
            options.apply ? grant(client, grantees) : grantStatements(client, grantees),
          )
          if (options.json) printJson({ applied: options.apply === true, statements })
          else if (options.apply)
            print(`Granted to ${grantees.map(({ kind, role }) => `${role} (${kind})`).join(', ')}.`)
          else print(statements.join('\n'))
        }),
      )
    })
}
