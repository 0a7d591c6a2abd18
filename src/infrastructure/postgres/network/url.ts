import * as E from 'fp-ts/lib/Either.js'

/** What is wrong with a connection string and what to do, as the rest of a sentence. It never holds a part of the string. */
export type UrlFault = string

export interface Host {
  /** Default: PGHOST, or this machine. */
  readonly host?: string
  readonly port?: number
}

export interface DatabaseUrl {
  readonly hosts: readonly Host[]
  readonly user?: string
  readonly password?: string
  readonly database?: string
  /** The parameters after the question mark, except those that have a field above. */
  readonly parameters: ReadonlyMap<string, string>
}

const ENCODE =
  'characters such as / ? % # @ in the user or the password have to be percent-encoded, as `encodeURIComponent` does'

interface Parts {
  readonly scheme: string
  /** Null: the string names no user. */
  readonly user: string | null
  readonly password: string | null
  readonly hosts: string
  readonly path: string
  readonly query: string
}

/** Splits the string without decoding it. A password may contain `@`: it ends at the last one before `/` and `?`. */
const split = (url: string): Parts | null => {
  const found = /^(postgres(?:ql)?:\/\/)([^/?]*)(\/[^?]*)?(?:\?(.*))?$/su.exec(url)
  if (found === null) return null
  const [, scheme = '', authority = '', path = '', query = ''] = found
  const at = authority.lastIndexOf('@')
  const who = at < 0 ? null : authority.slice(0, at)
  const colon = who?.indexOf(':') ?? -1
  return {
    scheme,
    user: who === null ? null : colon < 0 ? who : who.slice(0, colon),
    password: who === null || colon < 0 ? null : who.slice(colon + 1),
    hosts: authority.slice(at + 1),
    path,
    query,
  }
}

class Undecodable extends Error {}

/** A percent sign that two hexadecimal digits do not follow is kept as it is. */
const decode = (text: string): string =>
  text.replace(/(?:%[0-9a-f]{2})+/giu, encoded => {
    try {
      return decodeURIComponent(encoded)
    } catch {
      throw new Undecodable()
    }
  })

const parameterOf = (pair: string): readonly [string, string] | null => {
  const equals = pair.indexOf('=')
  return equals <= 0 ? null : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))]
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535

/** Parses `h1:5432,h2`, `[::1]:5432`, or an empty text; null for a text that is not a list of hosts. */
const hostsOf = (text: string): readonly Host[] | null => {
  const hosts: Host[] = []
  for (const part of text.split(',')) {
    const found = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]@\s]*))(?::(\d*))?$/iu.exec(part)
    if (found === null) return null
    const [, address, name = '', port] = found
    if (port !== undefined && port !== '' && !isPort(port)) return null
    const host = address ?? decode(name)
    hosts.push({
      ...(host === '' ? {} : { host }),
      ...(port === undefined || port === '' ? {} : { port: Number(port) }),
    })
  }
  return hosts
}

/** The parameters `host` and `port` win, as they do in libpq; a single port applies to all hosts. */
const withParameters = (
  hosts: readonly Host[],
  named: string | undefined,
  ports: string | undefined,
): readonly Host[] | null => {
  const list = named === undefined ? hosts : named.split(',').map((host): Host => (host === '' ? {} : { host }))
  if (ports === undefined) return list
  const each = ports.split(',')
  if (!each.every(isPort) || (each.length !== 1 && each.length !== list.length)) return null
  return list.map((host, i) => ({ ...host, port: Number(each[i] ?? each[0]) }))
}

/** Parses a connection string as libpq does, with several hosts; accepts more than libpq where the meaning is clear. */
export const parseDatabaseUrl = (url: string): E.Either<UrlFault, DatabaseUrl> => {
  const parts = split(url.trim())
  if (parts === null) return E.left('must be a connection string that begins with postgres://')
  try {
    return parsed(parts)
  } catch (error) {
    if (error instanceof Undecodable) return E.left(`has percent-encoded bytes that are not UTF-8: ${ENCODE}`)
    throw error
  }
}

const parsed = (parts: Parts): E.Either<UrlFault, DatabaseUrl> => {
  const { user, password, path, query } = parts
  const parameters = new Map<string, string>()
  for (const pair of query === '' ? [] : query.split('&')) {
    const parameter = parameterOf(pair)
    if (parameter === null) {
      return E.left(`has something else than name=value pairs joined by & after its question mark: ${ENCODE}`)
    }
    parameters.set(...parameter)
  }
  const take = (name: string): string | undefined => {
    const value = parameters.get(name)
    parameters.delete(name)
    return value === '' ? undefined : value
  }
  const given = hostsOf(parts.hosts)
  const hosts = given === null || path.includes('@') ? null : withParameters(given, take('host'), take('port'))
  if (hosts === null) {
    return E.left(`must name its hosts as in postgres://user:password@host1:5432,host2:5432/database: ${ENCODE}`)
  }
  const some = (name: string, value: string | null | undefined) =>
    value === null || value === undefined || value === '' ? {} : { [name]: value }
  return E.right({
    hosts,
    ...some('user', take('user') ?? (user === null ? null : decode(user))),
    ...some('password', take('password') ?? (password === null ? null : decode(password))),
    ...some('database', take('dbname') ?? decode(path.slice(1))),
    parameters,
  })
}

/** The connection string without its passwords, to show to people; shows no part of a string that cannot be parsed. */
export const withoutPassword = (url: string): string => {
  const parts = split(url.trim())
  if (parts === null || E.isLeft(parseDatabaseUrl(url))) return 'postgres://***'
  const { scheme, user, password, hosts, path } = parts
  const query = parts.query.replace(/(?<=^|&)((?:ssl)?password)=[^&]*/giu, '$1=***')
  const who = user === null ? '' : `${user}${password === null ? '' : ':***'}@`
  return `${scheme}${who}${hosts}${path}${query === '' ? '' : `?${query}`}`
}
