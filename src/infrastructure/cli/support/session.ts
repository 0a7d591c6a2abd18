import { CommandBusError } from '../../../application/shared/errors.ts'
import { defined } from '../../../application/shared/input.ts'
import type { CommandBusOptions } from '../../../bus-options.ts'
import type { CommandBus } from '../../../command-bus.ts'
import { hasEmbedded } from '../../postgres/embedded/index.ts'
import { withoutPassword } from '../../postgres/network/url.ts'
import { type Database, openDatabase } from '../../service/database.ts'
import { listenForStop } from '../../service/signals.ts'
import type { Config } from '../../settings/config.ts'
import { alertsOf, readConfig } from '../../settings/config.ts'
import { printNote } from '../text/output.ts'
import type { CliDeps } from './deps.ts'
import { hiding } from './hiding.ts'

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
      return await body({ bus: deps.reveal?.() === true ? bus : hiding(bus), database, config })
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

/**
 * Runs `body` with the configured database, without a bus. Only with `create` may the embedded one be made: a command in a wrong
 * directory must not be answered by a new and empty database.
 * @throws CommandBusError NO_DATABASE
 */
export const withDatabase = async <A>(
  config: Config,
  body: (database: Database) => Promise<A>,
  { create = false }: { readonly create?: boolean } = {},
): Promise<A> => {
  const { databaseUrl, home } = config
  if (databaseUrl === undefined && !create && !(await hasEmbedded(home))) throw noDatabase(home)
  const stop = listenForStop()
  const onTerminal = process.stderr.isTTY === true
  if (onTerminal) printNote(`Database: ${databaseUrl === undefined ? home : withoutPassword(databaseUrl)}`)
  const database = await openDatabase(config, onTerminal ? { log: printNote } : {})
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

const noDatabase = (home: string): CommandBusError =>
  new CommandBusError(
    'NO_DATABASE',
    `there is no database in ${home}: set DATABASE_URL or COMMANDBUS_HOME to the one you mean, or make one with ` +
      '`commandbus start`',
  )

/** Ended by a signal; the exit code says by which. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly exitCode: number
  constructor(why: string, exitCode: number) {
    super(`ended by ${why}`)
    this.exitCode = exitCode
  }
}
