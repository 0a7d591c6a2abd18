import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CommandBusError } from '../../../application/shared/errors.ts'
import { commandIdOf } from '../../../application/shared/input.ts'
import { assertSchemaCurrent } from '../../postgres/schema/schema-version.ts'
import { type ArchivedFile, archiveOld, countOld, instantBefore } from '../../proof/archive/archive.ts'
import { archivedIn } from '../../proof/archive/archive-rows.ts'
import { withPool } from '../../service/database.ts'
import { readConfig } from '../../settings/config.ts'
import { signerOf } from '../../settings/proof-home.ts'
import type { CliDeps } from '../support/deps.ts'
import { ageOf, operatorOf } from '../support/input.ts'
import { withDatabase } from '../support/session.ts'
import { counted, print, printJson } from '../text/output.ts'
import { startProgress } from '../text/progress.ts'

interface Options {
  readonly olderThan?: string
  readonly to: string
  readonly operator?: string
  readonly find?: string
  readonly dryRun?: true
  readonly json?: true
}

export const addArchive = (program: Command, deps: CliDeps): void => {
  program
    .command('archive')
    .description('move old finished commands and archived messages out of the database, into signed files')
    .option('--older-than <age>', 'commands that ended longer ago, like 90d')
    .option('--to <dir>', 'where the files go', 'archive')
    .option('--operator <who>', 'who does this; the seals name them (default: your user name)')
    .option('--dry-run', 'say what would be moved, and move nothing')
    .option('--find <id>', 'instead: say which file a command was moved to')
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const config = readConfig(deps.env)
      if (config.eventStoreUrl !== undefined) {
        throw new CommandBusError('NOT_HERE', 'the log is in EventStoreDB: set the retention of its streams there')
      }
      if (options.find !== undefined) return find(deps, commandIdOf(options.find), options)
      const age = ageOf(options.olderThan)
      const by = operatorOf(options.operator)
      await withDatabase(config, database =>
        withPool(database, async pool => {
          await assertSchemaCurrent(pool)
          const before = await instantBefore(pool, age)
          const old = await countOld(pool, before)
          if (options.dryRun) {
            if (options.json) printJson({ ...old, before, dryRun: true })
            else print(`Would move ${sizes(old)} from before ${before.toISOString()}. Nothing was moved.`)
            return
          }
          const progress = startProgress('commands', old.streams)
          let done = 0
          const files = await archiveOld({
            pool,
            signer: await signerOf(config),
            directory: resolve(options.to),
            before,
            by,
            now: () => new Date(),
            onFile: file => {
              done += file.streams
              progress.to(done, Math.max(done, old.streams))
            },
          }).finally(progress.end)
          if (options.json) printJson({ before, files })
          else
            print(files.length === 0 ? `Nothing is older than ${options.olderThan}.` : files.map(movedText).join('\n'))
        }),
      )
    })
}

const find = async (deps: CliDeps, id: string, { json }: Options): Promise<void> =>
  withDatabase(readConfig(deps.env), database =>
    withPool(database, async pool => {
      const items = await archivedIn(pool, id)
      if (items.length === 0) throw new CommandBusError('COMMAND_NOT_FOUND', `no command ${id} was moved to a file`)
      if (json) printJson({ items })
      else print(items.map(({ stream, status, file }) => `${stream} (${status}) is in ${file}`).join('\n'))
    }),
  )

const sizes = ({ streams, events, messages }: { streams: number; events: number; messages: number }): string =>
  `${counted(streams, 'command')} with ${counted(events, 'event')}, and ${counted(messages, 'archived message')}`

const movedText = (file: ArchivedFile): string => `Moved ${sizes(file)} to ${file.file}.`
