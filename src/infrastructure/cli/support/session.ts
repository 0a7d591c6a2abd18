import { defined } from '../../../application/shared/input.ts'
import type { CommandBus, CommandBusOptions } from '../../../command-bus.ts'
import { type Database, openDatabase } from '../../service/database.ts'
import { listenForStop } from '../../service/signals.ts'
import type { Config } from '../../settings/config.ts'
import { alertsOf, readConfig } from '../../settings/config.ts'
import { printNote } from '../text/output.ts'
import type { CliDeps } from './deps.ts'

export interface Session {
  readonly bus: CommandBus
  readonly database: Database
  readonly config: Config
}

/** `send` waits this long for the message's id, and for the row to be readable. */
const DISPATCH_MS = 3_000

/** The statements of one command line run one after another: a few connections are enough. */
const CONNECTIONS = 4

/**
 * Runs `body` with a bus on the configured database, and cleans up after it, also when it is interrupted. Check the user's
 * input before: this may start a server.
 */
export const withBus = async <A>(
  deps: CliDeps,
  body: (session: Session) => Promise<A>,
  options: Pick<CommandBusOptions, 'rehearsals'> = {},
): Promise<A> => {
  const config = readConfig(deps.env)
  return withDatabase(config, async database => {
    const bus = deps.createBus({
      databaseUrl: database.url,
      maxConnections: CONNECTIONS,
      waitForDispatchMs: DISPATCH_MS,
      ...logOf(config),
      alerts: alertsOf(config),
      ...options,
    })
    try {
      return await body({ bus, database, config })
    } finally {
      await bus.close()
    }
  })
}

/** Where the bus has its log, and how long it waits for the database. */
export const logOf = ({
  databaseTimeoutMs,
  eventStoreUrl,
  eventStorePrefix,
}: Config): Pick<CommandBusOptions, 'databaseTimeoutMs' | 'eventStoreUrl' | 'eventStorePrefix'> =>
  defined({ databaseTimeoutMs, eventStoreUrl, eventStorePrefix })

/** Runs `body` with the configured database, without a bus. */
export const withDatabase = async <A>(config: Config, body: (database: Database) => Promise<A>): Promise<A> => {
  const stop = listenForStop()
  const waiting = process.stderr.isTTY === true
  const database = await openDatabase(config, waiting ? { log: printNote } : {})
  try {
    return await Promise.race([
      body(database),
      stop.promise.then(why => Promise.reject(new Interrupted(why, stop.exitCode()))),
    ])
  } finally {
    await database.release()
    stop.dispose()
  }
}

/** Ended by a signal; the exit code says by which. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly exitCode: number
  constructor(why: string, exitCode: number) {
    super(`ended by ${why}`)
    this.exitCode = exitCode
  }
}
