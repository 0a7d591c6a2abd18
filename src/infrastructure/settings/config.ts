import { resolve } from 'node:path'
import { isLeft } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { isReplyQueuePattern, replyQueueForm } from '../../application/access/reply-queues.ts'
import { roles } from '../../application/ports/authorization.ts'
import { USUAL_LATE_SECONDS } from '../../application/replies/owed-replies.ts'
import { CommandBusError } from '../../application/shared/errors.ts'
import { YEAR_SECONDS } from '../../domain/instant.ts'
import { eventStorePrefixForm, isEventStorePrefix } from '../eventstoredb/connection/prefix.ts'
import { eventStoreUrlForm, isEventStoreUrl } from '../eventstoredb/connection/url.ts'
import { type RoleMap, roleMapOf } from '../http/identity/claims.ts'
import { parseConnection } from '../postgres/connection/settings.ts'
import { isTimeout, timeoutForm, USUAL_READ_TIMEOUT_MS } from '../postgres/network/time-limit.ts'
import { isLag, lagForm } from '../postgres/replica/lag.ts'
import { parseSigner } from '../proof/chain/keys.ts'

/** A variable or a flag is invalid. The message never shows the value, which may be a secret. */
export class ConfigError extends CommandBusError {
  override readonly name = 'ConfigError'
  constructor(message: string) {
    super('INVALID_CONFIGURATION', message)
  }
}

/** A text that `parse` accepts; `allowed` describes the form in words. */
const setting = <A>(allowed: string, parse: (text: string) => A | undefined): t.Type<A, A, unknown> =>
  new t.Type<A, A, unknown>(
    allowed,
    (value): value is A => value !== undefined,
    (value, context) => {
      const parsed = typeof value === 'string' ? parse(value.trim()) : undefined
      const name = context.at(-1)?.key ?? 'the value'
      return parsed === undefined ? t.failure(value, context, `${name} must be ${allowed}`) : t.success(parsed)
    },
    value => value,
  )

/** An empty variable counts as one that is not set. */
const orAbsent = <A>(codec: t.Type<A, A, unknown>): t.Type<A | undefined, A | undefined, unknown> =>
  new t.Type<A | undefined, A | undefined, unknown>(
    codec.name,
    (value): value is A | undefined => value === undefined || codec.is(value),
    (value, context) =>
      value === undefined || (typeof value === 'string' && value.trim() === '')
        ? t.success(undefined)
        : codec.validate(value, context),
    value => value,
  )

const urlWith =
  (...protocols: readonly string[]) =>
  (text: string) => {
    try {
      return protocols.includes(new URL(text).protocol) ? text : undefined
    } catch {
      return undefined
    }
  }

const text = (allowed: string) => setting(allowed, given => (given === '' ? undefined : given))

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** 0: any free port. */
const port = setting('a port number from 0 to 65535', given =>
  /^\d{1,5}$/.test(given) && Number(given) <= 65_535 ? Number(given) : undefined,
)

const timeout = setting(timeoutForm, given =>
  /^\d+$/.test(given) && isTimeout(Number(given)) ? Number(given) : undefined,
)

const limit = setting('a whole number from 0 (no limit) to 100000000', given =>
  /^\d{1,8}$/.test(given) ? Number(given) : undefined,
)

const queueCount = setting('a whole number from 0 to 1000000', given =>
  /^\d{1,7}$/.test(given) && Number(given) <= 1_000_000 ? Number(given) : undefined,
)

const seconds = setting('a whole number of seconds from 1 to 31536000', given =>
  /^\d{1,8}$/.test(given) && Number(given) >= 1 && Number(given) <= YEAR_SECONDS ? Number(given) : undefined,
)
const booleans: Readonly<Record<string, boolean>> = { true: true, false: false }

const lag = setting(lagForm, given => (/^\d+$/.test(given) && isLag(Number(given)) ? Number(given) : undefined))

const connection = setting(
  'a connection string like postgres://host:5432/database, with user:password@ before the host where it asks for them',
  given => (/^postgres(ql)?:\/\//.test(given) ? given : undefined),
)

const environment = t.type({
  DATABASE_URL: orAbsent(connection),
  DATABASE_READ_URL: orAbsent(connection),
  DATABASE_READ_MAX_LAG_MS: orAbsent(lag),
  DATABASE_TIMEOUT_MS: orAbsent(timeout),
  EVENTSTORE_URL: orAbsent(setting(eventStoreUrlForm, given => (isEventStoreUrl(given) ? given : undefined))),
  EVENTSTORE_PREFIX: orAbsent(setting(eventStorePrefixForm, given => (isEventStorePrefix(given) ? given : undefined))),
  COMMANDBUS_HOME: orAbsent(text('a directory')),
  HOST: orAbsent(text('a host name or an address')),
  PORT: orAbsent(port),
  COMMANDBUS_JWT_SECRET: orAbsent(
    setting('a secret of at least 32 characters, such as from `openssl rand -hex 32`', given =>
      given.length >= 32 ? given : undefined,
    ),
  ),
  COMMANDBUS_JWKS_URL: orAbsent(setting('an http or https address', urlWith('http:', 'https:'))),
  COMMANDBUS_JWT_ISSUER: orAbsent(text('a text that is not blank')),
  COMMANDBUS_JWT_AUDIENCE: orAbsent(text('a text that is not blank')),
  COMMANDBUS_JWT_ROLES_CLAIM: orAbsent(text('the name of a claim, or a path with dots')),
  COMMANDBUS_JWT_TENANT_CLAIM: orAbsent(text('the name of a claim, or a path with dots')),
  COMMANDBUS_JWT_PERMISSIONS_CLAIM: orAbsent(text('the name of a claim, or a path with dots')),
  COMMANDBUS_JWT_ROLE_MAP: orAbsent(
    setting(`pairs like bus-operators=OPERATOR, joined by commas, of ${roles.join(', ')}`, roleMapOf),
  ),
  COMMANDBUS_REPLY_QUEUES: orAbsent(
    setting(`${replyQueueForm}, joined by commas`, given => {
      const patterns = given.split(',').map(pattern => pattern.trim())
      return patterns.every(isReplyQueuePattern) ? patterns : undefined
    }),
  ),
  COMMANDBUS_MAX_QUEUES: orAbsent(queueCount),
  COMMANDBUS_NEW_QUEUES_PER_HOUR: orAbsent(queueCount),
  COMMANDBUS_LATE_REPLY_SECONDS: orAbsent(seconds),
  COMMANDBUS_WRITES_PER_MINUTE: orAbsent(limit),
  COMMANDBUS_READS_PER_MINUTE: orAbsent(limit),
  COMMANDBUS_READ_TIMEOUT_MS: orAbsent(timeout),
  COMMANDBUS_LIVE_READERS_PER_TOKEN: orAbsent(limit),
  COMMANDBUS_METRICS_PORT: orAbsent(port),
  COMMANDBUS_CORS_ORIGINS: orAbsent(
    setting('origins like https://console.example.com, joined by commas', given => {
      const origins = given.split(',').map(origin => origin.trim())
      return origins.every(origin => urlWith('http:', 'https:')(origin) !== undefined) ? origins : undefined
    }),
  ),
  COMMANDBUS_PUBLIC_URL: orAbsent(setting('an http or https address', urlWith('http:', 'https:'))),
  COMMANDBUS_ALERTS_LOCAL: orAbsent(setting('true or false', given => booleans[given])),
  COMMANDBUS_PROOF_KEY: orAbsent(
    setting('32 secret bytes in base64url, 43 characters', given => (parseSigner(given) === null ? undefined : given)),
  ),
  LOG_LEVEL: orAbsent(setting(`one of ${logLevels.join(', ')}`, given => logLevels.find(level => level === given))),
})

export interface Config {
  /** The user's own server; undefined: the embedded one of `home`. */
  readonly databaseUrl: string | undefined
  /** How long a statement may take, in milliseconds; undefined: the default. */
  readonly databaseTimeoutMs: number | undefined
  /** A replica of the user's own server, for lists; undefined: none. */
  readonly readDatabaseUrl: string | undefined
  /** How old what it shows may be, in milliseconds; undefined: the default. */
  readonly maxReadLagMs: number | undefined
  /** Where the log is; undefined: in PostgreSQL. */
  readonly eventStoreUrl: string | undefined
  /** The prefix of stream names in EventStoreDB; undefined: none. */
  readonly eventStorePrefix: string | undefined
  /** Absolute. */
  readonly home: string
  readonly host: string
  /** Where HTTP listens; undefined: the default of each command. */
  readonly port: number | undefined
  readonly jwt: {
    readonly secret: string | undefined
    readonly jwksUrl: string | undefined
    readonly issuer: string | undefined
    /** `*`: any. */
    readonly audience: string | undefined
    /** The claim of the roles: its name, or a path with dots. */
    readonly rolesClaim: string | undefined
    readonly tenantClaim: string | undefined
    readonly permissionsClaim: string | undefined
    /** The issuer's names of roles, and their roles here. */
    readonly roleMap: RoleMap | undefined
  }
  /** Queues that callers may name in `replyTo`. */
  readonly replyQueues: readonly string[] | undefined
  /** Limits of all queues, and of new ones for one token in an hour; undefined: the defaults. */
  readonly maxQueues: number | undefined
  readonly newQueuesPerHour: number | undefined
  /** After how many seconds a reply that is owed counts as late. */
  readonly lateReplySeconds: number
  /** Writes over HTTP of one token in a minute; 0: no limit. */
  readonly writesPerMinute: number
  /** Reads over HTTP of one token in a minute; 0: no limit. */
  readonly readsPerMinute: number
  /** A read over HTTP that takes longer is ended; in milliseconds. */
  readonly readTimeoutMs: number
  /** Open streams of live events of one token; 0: no limit. */
  readonly liveReadersPerToken: number
  /** Where metrics are served without a token; undefined: nowhere. */
  readonly metricsPort: number | undefined
  /** Origins whose pages may call the API. */
  readonly corsOrigins: readonly string[]
  /** Where people reach the console, for links in alerts; undefined: no links. */
  readonly publicUrl: string | undefined
  /** Whether alerts may be sent over http, and to private networks. */
  readonly alertsLocal: boolean
  /** Signs seals and bundles; undefined: the home's key does. */
  readonly proofKey: string | undefined
  readonly logLevel: LogLevel
}

/** What alerts may do, as the bus takes it. */
export const alertsOf = ({ publicUrl, alertsLocal: allowLocal }: Config) => ({
  allowLocal,
  ...(publicUrl === undefined ? {} : { publicUrl }),
})

/** The default port of `start` and `health`. */
export const DEFAULT_PORT = 4000

/** Flags of the command line, which win over the environment. */
export interface ConfigFlags {
  readonly host?: string
  readonly port?: string
}

const urls = [
  ['DATABASE_URL', 'databaseUrl'],
  ['DATABASE_READ_URL', 'readDatabaseUrl'],
] as const

/** @throws ConfigError that names the variable (or the flag) and what is allowed */
export const readConfig = (env: { readonly [name: string]: string | undefined }, flags: ConfigFlags = {}): Config => {
  const given = decode(environment, env)
  const { '--host': host, '--port': flaggedPort } = decode(
    t.type({ '--host': orAbsent(text('a host name or an address')), '--port': orAbsent(port) }),
    { '--host': flags.host, '--port': flags.port },
  )
  if (given.EVENTSTORE_PREFIX !== undefined && given.EVENTSTORE_URL === undefined) {
    throw new ConfigError('EVENTSTORE_PREFIX needs EVENTSTORE_URL: set both, or neither')
  }
  if (given.DATABASE_READ_URL !== undefined && given.DATABASE_URL === undefined) {
    throw new ConfigError('DATABASE_READ_URL needs DATABASE_URL: set both, or neither')
  }
  if (given.DATABASE_READ_MAX_LAG_MS !== undefined && given.DATABASE_READ_URL === undefined) {
    throw new ConfigError('DATABASE_READ_MAX_LAG_MS needs DATABASE_READ_URL: set both, or neither')
  }
  for (const [name, option] of urls) {
    const parsed = given[name] === undefined ? undefined : parseConnection(given[name], option)
    if (parsed !== undefined && isLeft(parsed)) throw new ConfigError(`${name} ${parsed.left}`)
  }
  return {
    databaseUrl: given.DATABASE_URL,
    readDatabaseUrl: given.DATABASE_READ_URL,
    maxReadLagMs: given.DATABASE_READ_MAX_LAG_MS,
    databaseTimeoutMs: given.DATABASE_TIMEOUT_MS,
    eventStoreUrl: given.EVENTSTORE_URL,
    eventStorePrefix: given.EVENTSTORE_PREFIX,
    home: resolve(given.COMMANDBUS_HOME ?? '.commandbus'),
    host: host ?? given.HOST ?? '127.0.0.1',
    port: flaggedPort ?? given.PORT,
    jwt: {
      secret: given.COMMANDBUS_JWT_SECRET,
      jwksUrl: given.COMMANDBUS_JWKS_URL,
      issuer: given.COMMANDBUS_JWT_ISSUER,
      audience: given.COMMANDBUS_JWT_AUDIENCE,
      rolesClaim: given.COMMANDBUS_JWT_ROLES_CLAIM,
      tenantClaim: given.COMMANDBUS_JWT_TENANT_CLAIM,
      permissionsClaim: given.COMMANDBUS_JWT_PERMISSIONS_CLAIM,
      roleMap: given.COMMANDBUS_JWT_ROLE_MAP,
    },
    replyQueues: given.COMMANDBUS_REPLY_QUEUES,
    maxQueues: given.COMMANDBUS_MAX_QUEUES,
    newQueuesPerHour: given.COMMANDBUS_NEW_QUEUES_PER_HOUR,
    lateReplySeconds: given.COMMANDBUS_LATE_REPLY_SECONDS ?? USUAL_LATE_SECONDS,
    writesPerMinute: given.COMMANDBUS_WRITES_PER_MINUTE ?? 60_000,
    readsPerMinute: given.COMMANDBUS_READS_PER_MINUTE ?? 12_000,
    readTimeoutMs: given.COMMANDBUS_READ_TIMEOUT_MS ?? USUAL_READ_TIMEOUT_MS,
    liveReadersPerToken: given.COMMANDBUS_LIVE_READERS_PER_TOKEN ?? 50,
    metricsPort: given.COMMANDBUS_METRICS_PORT,
    corsOrigins: given.COMMANDBUS_CORS_ORIGINS ?? [],
    publicUrl: given.COMMANDBUS_PUBLIC_URL,
    alertsLocal: given.COMMANDBUS_ALERTS_LOCAL ?? false,
    proofKey: given.COMMANDBUS_PROOF_KEY,
    logLevel: given.LOG_LEVEL ?? 'info',
  }
}

const decode = <A>(codec: t.Type<A, unknown, unknown>, value: unknown): A => {
  const decoded = codec.decode(value)
  if (isLeft(decoded)) throw new ConfigError(decoded.left[0]?.message ?? 'the configuration cannot be read')
  return decoded.right
}
