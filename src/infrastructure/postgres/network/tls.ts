import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import * as E from 'fp-ts/lib/Either.js'
import type { UrlFault } from './url.ts'

/** Ways to connect, in the order in which they are tried. `prefer` tries without encryption after the server refused it. */
export type Ways = readonly (false | ConnectionOptions)[]

const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'] as const
type Mode = (typeof modes)[number]

const isMode = (text: string): text is Mode => modes.some(mode => mode === text)

const unverified: ConnectionOptions = { rejectUnauthorized: false }
/** Checks the chain of certificates, but not the host name in the certificate. */
const anyName = { checkServerIdentity: () => undefined }

const READ = ['sslrootcert', 'sslcert', 'sslkey'] as const

/**
 * What `sslmode` and its like mean to libpq: `require` encrypts and looks at the certificate only where `sslrootcert` says
 * names the trusted authority; `verify-ca` and `verify-full` always check it. Undefined: the string does not mention TLS.
 *
 * @param parameters of the connection string
 * @param env PGSSLMODE and PGSSLROOTCERT apply where the string does not mention TLS
 */
export const tlsOf = (
  parameters: ReadonlyMap<string, string>,
  env: { readonly [name: string]: string | undefined } = process.env,
): E.Either<UrlFault, Ways | undefined> => {
  const said = (name: string): string | undefined => parameters.get(name) || env[`PG${name.toUpperCase()}`] || undefined
  const given = said('sslmode')
  if (given !== undefined && !isMode(given)) {
    return E.left(`has an sslmode that does not exist: use one of ${modes.join(', ')}`)
  }
  const files: Partial<Record<(typeof READ)[number], string>> = {}
  for (const name of READ) {
    const path = said(name)
    // the certificate authorities that Node.js knows
    if (path === undefined || path === 'system') continue
    try {
      files[name] = readFileSync(path, 'utf8')
    } catch {
      return E.left(`names a file for ${name} that cannot be read: give the path of one in PEM form`)
    }
  }
  const { sslrootcert: ca, sslcert: cert, sslkey: key } = files
  const isSystem = said('sslrootcert') === 'system'
  const plain = modeOf(parameters.get('ssl'))
  const mode = given ?? plain ?? (ca !== undefined || isSystem || cert !== undefined ? 'verify-full' : undefined)
  if (mode === undefined) return E.right(undefined)
  if (mode === 'verify-ca' && ca === undefined) {
    return E.left(
      'has sslmode=verify-ca without a certificate authority: add sslrootcert=<file>, or use verify-full for a certificate of a public authority',
    )
  }
  const passphrase = said('sslpassword')
  const client = {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
  const checked = { ...client, ...(ca === undefined ? {} : { ca }) }
  const encrypted = { ...client, ...unverified }
  switch (mode) {
    case 'disable':
      return E.right([false])
    case 'allow':
      return E.right([false, encrypted])
    case 'prefer':
      return E.right([encrypted, false])
    case 'no-verify':
      return E.right([encrypted])
    case 'require':
      return E.right([ca === undefined ? (isSystem ? checked : encrypted) : { ...checked, ...anyName }])
    case 'verify-ca':
      return E.right([{ ...checked, ...anyName }])
    case 'verify-full':
      return E.right([checked])
  }
}

/** `ssl=true` means `verify-full` here, as in other Node.js programs; libpq reads it as `require`. */
const modeOf = (ssl: string | undefined): Mode | undefined => {
  if (ssl === 'true' || ssl === '1') return 'verify-full'
  if (ssl === 'false' || ssl === '0') return 'disable'
  return ssl === 'no-verify' ? 'no-verify' : undefined
}
