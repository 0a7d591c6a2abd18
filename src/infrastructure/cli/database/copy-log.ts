import type { Command } from 'commander'
import type { CopiedLog, CopyLogOptions } from '../../copy-log/stored.ts'
import { readConfig } from '../../settings/config.ts'
import type { CliDeps } from '../support/deps.ts'
import { UsageError } from '../support/failure.ts'
import { withDatabase } from '../support/session.ts'
import { counted, print, printJson } from '../text/output.ts'
import { startPhases } from '../text/progress.ts'

interface Options {
  readonly from: string
  readonly to: string
  readonly json?: true
}

const afterwards = {
  eventstoredb:
    'From now on every service, worker and sender needs EVENTSTORE_URL, and EVENTSTORE_PREFIX if it was set.',
  postgres: 'From now on no service, worker or sender may have EVENTSTORE_URL set; EventStoreDB was left as it is.',
}

export const addCopyLog = (program: Command, deps: CliDeps): void => {
  program
    .command('copy-log')
    .description('move the log between PostgreSQL and EventStoreDB and compare the two; stop every service first')
    .requiredOption('--from <store>', 'postgres or eventstoredb')
    .requiredOption('--to <store>', 'postgres or eventstoredb')
    .option('--json', 'print JSON')
    .action(async ({ from, to, json }: Options) => {
      const target = targetOf(from, to)
      const config = readConfig(deps.env)
      const { eventStoreUrl, eventStorePrefix } = config
      if (eventStoreUrl === undefined) {
        throw new UsageError('set EVENTSTORE_URL to the EventStoreDB that the log moves to or comes from')
      }
      const copied = await withDatabase(config, async ({ url: databaseUrl }) => {
        const bars = startPhases({ copying: 'events copied', comparing: 'events compared' })
        try {
          return await copyTo(target, {
            databaseUrl,
            eventStoreUrl,
            ...(eventStorePrefix === undefined ? {} : { eventStorePrefix }),
            onProgress: bars.onProgress,
          })
        } finally {
          bars.end()
        }
      })
      if (json) printJson({ from, to, ...copied })
      else
        print(
          `Copied and compared: ${counted(copied.events, 'event')} of ${counted(copied.streams, 'command')}.\n${afterwards[target]}`,
        )
    })
}

const targetOf = (from: string, to: string): keyof typeof afterwards => {
  if (from === 'postgres' && to === 'eventstoredb') return 'eventstoredb'
  if (from === 'eventstoredb' && to === 'postgres') return 'postgres'
  throw new UsageError('use --from postgres --to eventstoredb, or --from eventstoredb --to postgres')
}

const copyTo = async (target: keyof typeof afterwards, options: CopyLogOptions): Promise<CopiedLog> => {
  if (target === 'eventstoredb') {
    const { copyToEventStoreDb } = await import('../../copy-log/to-eventstoredb.ts')
    return copyToEventStoreDb(options)
  }
  const { copyToPostgres } = await import('../../copy-log/to-postgres.ts')
  return copyToPostgres(options)
}
