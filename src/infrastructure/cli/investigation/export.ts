import { resolve } from 'node:path'
import type { Command } from 'commander'
import { lastNameOf } from '../../../application/sensitive/sensitive-paths.ts'
import { commandIdOf, correlationIdOf } from '../../../application/shared/input.ts'
import { assertSchemaCurrent } from '../../postgres/schema/schema-version.ts'
import { createSensitivePaths } from '../../postgres/sensitive/sensitive-store.ts'
import { type Exported, exportBundle } from '../../proof/case/export-bundle.ts'
import { fingerprintOf } from '../../proof/chain/keys.ts'
import { withPool } from '../../service/database.ts'
import { readConfig } from '../../settings/config.ts'
import { signerOf } from '../../settings/proof-home.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { again, operatorOf } from '../support/input.ts'
import { withDatabase } from '../support/session.ts'
import { counted, print, printJson } from '../text/output.ts'

interface Options {
  readonly correlation?: string
  readonly id?: readonly string[]
  readonly output: string
  readonly redact?: readonly string[]
  readonly operator?: string
  readonly json?: true
}

const whatOf = ({ commands, runs, entries }: Exported): string =>
  runs === 0
    ? counted(commands, 'command')
    : `a run with ${counted(entries, 'entry', 'entries')} of credits, and ${counted(commands, 'command')}`

export const addExport = (program: Command, deps: CliDeps): void => {
  program
    .command('export')
    .description('write the whole history of some commands, or of a run, to a signed file, without secrets')
    .option(
      '--correlation <id>',
      'of all commands with this correlation id; of a run by its id, with its jobs and credits',
    )
    .option('--id <id>', 'of this command; may be repeated', again)
    .requiredOption('-o, --output <file>', 'the file to write, like case.jsonl.gz')
    .option('--redact <name>', 'hide members of the data with this name, too; may be repeated', again)
    .option('--operator <who>', 'who makes it; the file names them (default: your user name)')
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const correlationId = options.correlation === undefined ? undefined : correlationIdOf(options.correlation)
      const commandIds = (options.id ?? []).map(id => commandIdOf(id))
      if (correlationId === undefined && commandIds.length === 0) {
        throw new UsageError('name what to write: --correlation <id>, or --id <id>')
      }
      const config = readConfig(deps.env)
      const madeBy = operatorOf(options.operator)
      await withDatabase(config, database =>
        withPool(database, async pool => {
          await assertSchemaCurrent(pool)
          const signer = await signerOf(config)
          const path = resolve(options.output)
          const sensitive = deps.reveal?.() === true ? [] : await createSensitivePaths(pool).known()
          const written = await exportBundle({
            pool,
            path,
            signer,
            commandIds,
            redact: [...(options.redact ?? []), ...new Set(sensitive.flatMap(path => lastNameOf(path) ?? []))],
            madeBy,
            now: new Date(),
            ...(correlationId === undefined ? {} : { correlationId }),
          })
          const key = fingerprintOf(signer.key)
          if (options.json) printJson({ file: path, ...written, key })
          else {
            print(`Wrote ${written.events} events of ${whatOf(written)} to ${path}.`)
            print(`Signed with ${key}: give this key to the recipients, so that they can check the file with --trust.`)
          }
        }),
      )
    })
}
