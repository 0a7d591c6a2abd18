import type { Command } from 'commander'
import { defined } from '../../../application/shared/input.ts'
import type { CopiedSettings } from '../../copy-log/settings.ts'
import type { CopiedLog, CopyBackOptions } from '../../copy-log/stored.ts'
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
      const settingsFrom = deps.env.SETTINGS_FROM_DATABASE_URL
      if (settingsFrom !== undefined && target !== 'postgres') {
        throw new UsageError(
          'SETTINGS_FROM_DATABASE_URL is for --to postgres: to EventStoreDB, the database keeps them',
        )
      }
      if (eventStoreUrl === undefined) {
        throw new UsageError('set EVENTSTORE_URL to the EventStoreDB that the log moves to or comes from')
      }
      const copied = await withDatabase(config, async ({ url: databaseUrl }) => {
        const bars = startPhases({ copying: 'events copied', comparing: 'events compared' })
        try {
          return await copyTo(target, {
            databaseUrl,
            eventStoreUrl,
            ...defined({ eventStorePrefix, settingsFrom }),
            onProgress: bars.onProgress,
          })
        } finally {
          bars.end()
        }
      })
      if (json) printJson({ from, to, ...copied })
      else
        print(
          [
            `Copied and compared: ${counted(copied.events, 'event')} of ${counted(copied.streams, 'command')}.`,
            ...('settings' in copied ? [settingsText(copied.settings)] : []),
            afterwards[target],
          ].join('\n'),
        )
    })
}

const settingsText = ({ searchable, sensitive, views, alerts }: CopiedSettings): string =>
  searchable + sensitive + views + alerts === 0
    ? 'This database has no declarations of sensitive or searchable members, no views and no alerts, and the log has none: ' +
      'declare what others may not see before anything starts. With SETTINGS_FROM_DATABASE_URL they are copied from the database before.'
    : `The database has ${counted(sensitive, 'sensitive member')}, ${counted(searchable, 'searchable member')}, ${counted(views, 'view')} and ${counted(alerts, 'alert')}.`

const targetOf = (from: string, to: string): keyof typeof afterwards => {
  if (from === 'postgres' && to === 'eventstoredb') return 'eventstoredb'
  if (from === 'eventstoredb' && to === 'postgres') return 'postgres'
  throw new UsageError('use --from postgres --to eventstoredb, or --from eventstoredb --to postgres')
}

const copyTo = async (
  target: keyof typeof afterwards,
  options: CopyBackOptions,
): Promise<CopiedLog & { readonly settings?: CopiedSettings }> => {
  if (target === 'eventstoredb') {
    const { copyToEventStoreDb } = await import('../../copy-log/to-eventstoredb.ts')
    return copyToEventStoreDb(options)
  }
  const { copyToPostgres } = await import('../../copy-log/to-postgres.ts')
  return copyToPostgres(options)
}
