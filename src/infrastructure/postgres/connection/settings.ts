import * as E from 'fp-ts/lib/Either.js'
import type { Client, PoolConfig } from 'pg'
import { InvalidInputError } from '../../../application/shared/errors.ts'
import { tlsOf, type Ways } from '../network/tls.ts'
import { type DatabaseUrl, parseDatabaseUrl, type UrlFault } from '../network/url.ts'
import { clientInTurn, type Way } from './in-turn.ts'

/** Parameters of a connection string that `pg` takes, besides hosts, names and TLS. */
const PASSED_ON = [
  'application_name',
  'fallback_application_name',
  'options',
  'client_encoding',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'query_timeout',
  'sslnegotiation',
] as const

export interface ConnectionSettings {
  readonly config: PoolConfig
  /** The class that makes the connections; null: the one of `pg`. */
  readonly Client: typeof Client | null
  /** The string has `pgbouncer=true`, which some providers write for a pooler in transaction mode. */
  readonly saysTransactionPooling: boolean
}

/** The option of the bus that the string is given in: for `readDatabaseUrl` it names a replica. */
export type UrlOption = 'databaseUrl' | 'readDatabaseUrl'

/** Makes settings for `pg` from a connection string; `left` says what to change and quotes no part of the string. */
export const parseConnection = (
  url: string,
  option: UrlOption = 'databaseUrl',
): E.Either<UrlFault, ConnectionSettings> => {
  const parsed = parseDatabaseUrl(url)
  if (E.isLeft(parsed)) return parsed
  const ways = tlsOf(parsed.right.parameters)
  return E.isLeft(ways) ? ways : settingsFor(parsed.right, ways.right, option)
}

const settingsFor = (
  url: DatabaseUrl,
  tls: Ways | undefined,
  option: UrlOption,
): E.Either<UrlFault, ConnectionSettings> => {
  const { hosts, user, password, database, parameters } = url
  const isReplica = option === 'readDatabaseUrl'
  if (isReplica && hosts.length > 1) {
    return E.left('must name one server: how far a replica is behind is measured of one')
  }
  const attrs = parameters.get('target_session_attrs') ?? (hosts.length > 1 ? 'read-write' : 'any')
  if (!isReplica && !['any', 'read-write', 'primary'].includes(attrs)) {
    return E.left('asks for standbys (target_session_attrs), on which nothing can be written: use read-write')
  }
  const timeout = Number(parameters.get('connect_timeout') ?? 0)
  if (!Number.isInteger(timeout) || timeout < 0) {
    return E.left('has a connect_timeout that is not a whole number of seconds')
  }
  const encryption: readonly Way[] = tls === undefined ? [{}] : tls.map(ssl => ({ ssl }))
  const ways = hosts.flatMap(host => encryption.map(way => ({ ...host, ...way })))
  const passedOn = PASSED_ON.flatMap(name => (parameters.get(name) ? [[name, parameters.get(name)]] : []))
  const binding = parameters.get('channel_binding')
  return E.right({
    config: {
      ...Object.fromEntries(passedOn),
      ...ways[0],
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
      ...(database === undefined ? {} : { database }),
      ...(timeout === 0 ? {} : { connectionTimeoutMillis: timeout * 1000 }),
      ...(binding === 'require' || binding === 'prefer' ? { enableChannelBinding: true } : {}),
    },
    Client: ways.length > 1 ? clientInTurn({ ways, writable: hosts.length > 1 && attrs !== 'any' }) : null,
    saysTransactionPooling: parameters.get('pgbouncer') === 'true',
  })
}

/** @throws InvalidInputError in one sentence for a connection string that cannot work. */
export const connectionSettings = (url: string, option: UrlOption = 'databaseUrl'): ConnectionSettings => {
  const parsed = parseConnection(url, option)
  if (E.isLeft(parsed)) throw new InvalidInputError(option, parsed.left)
  return parsed.right
}
