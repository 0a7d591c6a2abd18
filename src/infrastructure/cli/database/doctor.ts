import type { Command } from 'commander'
import type { Pool } from 'pg'
import type { Check, HealthReport } from '../../http/pages/health.ts'
import { withClient } from '../../postgres/connection/with-client.ts'
import { withoutPassword } from '../../postgres/network/url.ts'
import { findPgmq } from '../../postgres/schema/pgmq-install.ts'
import { SchemaVersionError, schemaStatus } from '../../postgres/schema/schema-version.ts'
import { checkHealth, checkReplica } from '../../service/checks.ts'
import { type Database, withPool } from '../../service/database.ts'
import { checkEventStore } from '../../service/event-store-check.ts'
import { runningService } from '../../service/home.ts'
import { worst } from '../../service/worker-report.ts'
import { type Config, readConfig } from '../../settings/config.ts'
import type { CliDeps } from '../support/deps.ts'
import { Refused } from '../support/failure.ts'
import { withDatabase } from '../support/session.ts'
import { fields, print, printJson } from '../text/output.ts'

/** What `doctor --json` prints; other programs read it. */
interface Diagnosis {
  /** The embedded server: as its owner, with the password. The user's own server: without the password. */
  readonly databaseUrl: string
  readonly eventStore: 'postgresql' | 'eventstoredb'
  readonly pgmqVersion: string | null
  readonly schemaVersion: number | null
  readonly home: string
  readonly health: HealthReport
}

export const addDoctor = (program: Command, deps: CliDeps): void => {
  program
    .command('doctor')
    .description('show what this installation uses, and its health')
    .option('--json', 'print JSON')
    .action(async ({ json }: { readonly json?: true }) => {
      const config = readConfig(deps.env)
      await withDatabase(config, async database => {
        const diagnosis = await withPool(database, pool => diagnose(config, database, pool))
        if (json) printJson(diagnosis)
        else print(diagnosisText(diagnosis))
        if (diagnosis.health.status === 'critical') throw new Refused('not well')
      })
    })
}

const diagnose = async (config: Config, database: Database, pool: Pool): Promise<Diagnosis> => {
  const { eventStoreUrl, eventStorePrefix, readDatabaseUrl } = config
  const [report, pgmqVersion, schemaVersion, service] = await Promise.all([
    checkHealth(pool, {
      eventStore:
        eventStoreUrl === undefined ? undefined : () => checkEventStore(eventStoreUrl, eventStorePrefix ?? '', pool),
      replica: readDatabaseUrl === undefined ? undefined : () => checkReplica(readDatabaseUrl, pool),
    }),
    versionOfPgmq(pool).catch(() => null),
    versionOfSchema(pool).catch(() => null),
    runningService(config.home),
  ])
  const serviceCheck =
    service === undefined
      ? { status: 'healthy' as const, reasons: [], running: false }
      : { status: 'healthy' as const, reasons: [], running: true, pid: service.pid, url: service.url }
  const checks = { ...report.checks, service: serviceCheck }
  return {
    databaseUrl: database.kind === 'embedded' ? database.url : withoutPassword(database.url),
    eventStore: eventStoreUrl === undefined ? 'postgresql' : 'eventstoredb',
    pgmqVersion,
    schemaVersion,
    home: config.home,
    health: { ...worst(Object.values(checks)), checks },
  }
}

const versionOfPgmq = (pool: Pool): Promise<string | null> =>
  withClient(pool, async client => (await findPgmq(client))?.version ?? null)

/** 0: no schema yet. A version newer than this program is returned, too. */
const versionOfSchema = async (pool: Pool): Promise<number> => {
  try {
    return (await schemaStatus(pool)).current
  } catch (error) {
    if (error instanceof SchemaVersionError) return error.current
    throw error
  }
}

const diagnosisText = ({ databaseUrl, eventStore, pgmqVersion, schemaVersion, home, health }: Diagnosis): string => {
  const { service, replica } = health.checks
  const hosts = health.checks.eventStore?.hosts
  return fields([
    ['Health', health.status],
    ...health.reasons.map(reason => ['', reason] as const),
    ['Database', withoutPassword(databaseUrl)],
    ...(replica === undefined ? [] : [['Replica', replicaText(replica)] as const]),
    ['Event store', eventStore === 'postgresql' ? 'PostgreSQL, the same database' : `EventStoreDB at ${hosts}`],
    ['pgmq', pgmqVersion ?? 'none'],
    ['Schema', schemaVersion === null ? 'unknown' : `version ${schemaVersion}`],
    ['Home', home],
    ['Service', service?.running === true ? `process ${service.pid} at ${service.url ?? '(starting)'}` : 'not running'],
  ])
}

const replicaText = ({ state, lagSeconds }: Check): string =>
  lagSeconds === null ? `${state}` : `${state}, at most ${lagSeconds} s behind`
