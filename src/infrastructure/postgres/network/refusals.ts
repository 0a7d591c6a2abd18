/** Error codes of Node.js and OpenSSL for a certificate that no trusted authority has signed. */
const UNTRUSTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
])

const WITHOUT = 'or connect with sslmode=require, which encrypts and does not ask who the server is'

/** Why a server or a pooler refused the connection, and what to do; null for other errors. */
export const connectionRefusal = (error: unknown): string | null => {
  const { code = '', message = '' } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown }
  const said = String(message)
  if (UNTRUSTED.has(String(code))) {
    return `the certificate of the database is signed by an unknown authority: give the file of that authority as sslrootcert=<file> in the connection string (in a pool of yours: \`ssl: { ca }\`), ${WITHOUT}`
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'the certificate of the database is for another host name: connect by the name it is for, or with sslmode=verify-ca and sslrootcert=<file>'
  }
  if (code === 'CERT_HAS_EXPIRED') {
    return `the certificate of the database has expired: renew it, ${WITHOUT}`
  }
  if (said === 'The server does not support SSL connections') {
    return 'the database has no TLS, which sslmode asks for: turn it on there, or connect with sslmode=disable or prefer'
  }
  if (code === '28000' && / no encryption/.test(said)) {
    return 'the database takes encrypted connections only: add ?sslmode=require or verify-full to the connection string'
  }
  const parameter = /unsupported startup parameter(?: in options)?: "?(\w+)/.exec(said)?.[1]
  if (parameter !== undefined) {
    return `the pooler refuses the start parameter ${parameter}: take it out of the connection string or the pool, or add it to ignore_startup_parameters of PgBouncer`
  }
  return null
}
