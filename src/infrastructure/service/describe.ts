import { demoDomain, demoDomains, parkedDemoCommand } from '../demo/index.ts'
import { eventStoreHosts } from '../eventstoredb/connection/url.ts'
import { withoutPassword } from '../postgres/network/url.ts'
import type { Config } from '../settings/config.ts'
import type { Database } from './database.ts'

/** A description of the service, for the terminal and the page at `/`. */
export interface Description {
  readonly url: string
  readonly running: readonly (readonly [name: string, value: string])[]
  readonly commands: readonly string[]
  /** A token for the console on this machine; absent when others sign tokens. Never on the page, which is public. */
  readonly token?: string
}

interface Facts {
  readonly config: Config
  readonly demo: boolean
  readonly version: string
  readonly env: { readonly [name: string]: string | undefined }
  readonly url: string
  readonly database: Database | undefined
}

export const describeService = ({ config, demo, version, env, url, database }: Facts): Description => ({
  url,
  running: [
    ['Version', version],
    ['Address', url],
    ['Database', databaseText(config, database)],
    ...(config.readDatabaseUrl === undefined ? [] : [['Replica', withoutPassword(config.readDatabaseUrl)] as const]),
    ...(config.eventStoreUrl === undefined
      ? []
      : [['Event store', eventStoreText(config.eventStoreUrl, config)] as const]),
    [
      'Workers',
      demo ? `domains ${[...demoDomains.keys()].join(', ')}` : 'none here: start them with `commandbus worker`',
    ],
    ['Process', String(process.pid)],
  ],
  commands: [...sameDatabase(config, env), ...(demo ? demoCommands : plainCommands)],
})

const eventStoreText = (url: string, { eventStorePrefix }: Config): string =>
  eventStorePrefix === undefined ? eventStoreHosts(url) : `${eventStoreHosts(url)}, streams ${eventStorePrefix}...`

const databaseText = (config: Config, database: Database | undefined): string => {
  if (database === undefined) return 'starting'
  return database.kind === 'given'
    ? withoutPassword(database.url)
    : `PostgreSQL of ${config.home}, ${new URL(database.url).host}`
}

/** Comments that tell another terminal how to use the same database. */
const sameDatabase = (config: Config, env: Facts['env']): readonly string[] => {
  const prefix = config.eventStorePrefix === undefined ? '' : ' and EVENTSTORE_PREFIX'
  const log = config.eventStoreUrl === undefined ? '' : ` EVENTSTORE_URL${prefix}`
  if (config.databaseUrl !== undefined) return [`# with the same DATABASE_URL${log && ' and'}${log}`]
  return [
    ...(log === '' ? [] : [`# with the same${log}`]),
    ...(env.COMMANDBUS_HOME ? [`export COMMANDBUS_HOME=${quoted(config.home)}`] : []),
  ]
}

const quoted = (text: string): string => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

const demoCommands = [
  'npx commandbus list',
  `npx commandbus send ${demoDomain} Greet --data '{"name": "Ada"}' --reply-to my_replies`,
  'npx commandbus replies read my_replies',
  'npx commandbus tsq list',
  `npx commandbus tsq retry ${parkedDemoCommand} --domain ${demoDomain} --operator jane@example.com`,
  `npx commandbus audit ${parkedDemoCommand} --domain ${demoDomain}`,
]

const plainCommands = ['npx commandbus doctor', 'npx commandbus worker --demo', 'npx commandbus list']
