const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\b[a-z][a-z0-9+]*:\/\/[^\s'"/@]*@[^\s'"]*/gi, '(connection string)'],
  [/\bbearer\s+[\w.~+/=-]+/gi, 'Bearer (token)'],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '(token)'],
  [/\bsk-[\w-]{6,}/g, '(key)'],
]

/** The text without what looks like a connection string with a user, a token or a key. */
export const redact = (text: string): string =>
  SECRETS.reduce((shown, [pattern, instead]) => shown.replace(pattern, instead), text)

/** A connection string that people may see: without its password. */
export const withoutPassword = (connectionString: string): string => {
  const url = new URL(connectionString)
  if (url.password !== '') url.password = '***'
  if (url.searchParams.has('password')) url.searchParams.set('password', '***')
  return url.href
}
