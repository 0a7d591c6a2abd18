import type { Command } from 'commander'
import { lackOfPgmqRights } from '../../postgres/queue/pgmq-rights.ts'
import { migrate } from '../../postgres/schema/migrate.ts'
import { ensurePgmq } from '../../postgres/schema/pgmq-install.ts'
import { MigrationError, schemaStatus } from '../../postgres/schema/schema-version.ts'
import { withUnhurriedClient } from '../../postgres/transactions/unhurried.ts'
import { withPool } from '../../service/database.ts'
import { readConfig } from '../../settings/config.ts'
import type { CliDeps } from '../support/deps.ts'
import { withDatabase } from '../support/session.ts'
import { print, printJson } from '../text/output.ts'
import { startProgress } from '../text/progress.ts'

interface Options {
  readonly installPgmq?: true
  readonly schema?: string
  readonly json?: true
}

export const addMigrate = (program: Command, deps: CliDeps): void => {
  program
    .command('migrate')
    .description('bring the database up to this version: pgmq and the tables')
    .option('--install-pgmq', 'if the pgmq extension cannot be created, install its SQL from npm')
    .option(
      '--schema <name>',
      'create the tables in this schema, which is created if missing (default: the first of the search path)',
    )
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      await withDatabase(
        readConfig(deps.env),
        database =>
          withPool(database, async pool => {
            // refuses a database of a newer commandbus before anything is changed
            const { pending } = await schemaStatus(pool)
            await withUnhurriedClient(pool, async client => {
              const pgmq = await ensurePgmq(client, { installSql: options.installPgmq === true })
              const lack = await lackOfPgmqRights(client)
              if (lack !== null) throw new MigrationError(lack)
              const progress = startProgress('migrations', pending.length)
              const applied = await migrate(client, {
                onApply: () => progress.step(),
                ...(options.schema === undefined ? {} : { schema: options.schema }),
              }).finally(progress.end)
              const { current } = await schemaStatus(client)
              if (options.json) {
                printJson({
                  applied: applied.map(({ version, name }) => ({ version, name })),
                  schemaVersion: current,
                  pgmq,
                })
                return
              }
              for (const { version, name } of applied) print(`Applied ${version} ${name}.`)
              print(`The schema is at version ${current}; pgmq ${pgmq.version} is installed (${pgmq.how}).`)
            })
          }),
        { create: true },
      )
    })
}
