/** The text in place of a secret. */
export const HIDDEN = '(hidden)'

/** Names of secret values, in upper or lower case, also at the end of a longer name (`PGPASSWORD`, `x-api-key`). */
const NAMES =
  'password|passwd|passphrase|pwd|secret|token|api[_-]?key|(?:access|secret|private|signing)[_-]?key|credentials?'

/** A quoted text up to its last quote, or up to the end of the line if the quote is missing. Quotes may be escaped. */
const QUOTED = String.raw`(["'])(?:\\[^\r\n]|(?!\2)[^\r\n\\])*\\?|(\\["'])(?:\\{3}["']|(?!\3)[^\r\n])*`

/** Up to the end of its line, or of the quoted text around it. */
const HEADER = new RegExp(
  String.raw`((?:authorization|cookie)(?:\\?["'])?[ \t]{0,5}[:=][ \t]{0,5})(?:${QUOTED}|[^\r\n]+)`,
  'gi',
)

/** `name=value`, `name: 'value'`, `"name":"value"`, also when the quotes are escaped or the last one was cut off. */
const NAMED = new RegExp(String.raw`((?:${NAMES})(?:\\?["'])?\s{0,5}[:=]\s{0,5})(?:${QUOTED}|\S+)`, 'gi')

const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?/g

/** Secrets that are recognised by their form. */
const TOKENS: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer\s{1,5})[\w.~+/=-]{6,}/gi, `$1${HIDDEN}`],
  [/\b(basic\s{1,5})(?=[A-Za-z]*[0-9+/=])[A-Za-z0-9+/]{6,}={0,2}/gi, `$1${HIDDEN}`],
  [/(?<![\w-])eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*){0,3}/g, HIDDEN],
  [/(?<![A-Za-z0-9])[srp]k[-_][\w-]{6,}/g, HIDDEN],
  [/\bgh[opsur]_\w{16,}|\bgithub_pat_\w{16,}|\bxox[a-z]-[\w-]{8,}|\bAKIA[0-9A-Z]{12,}|\bAIza[\w-]{20,}/g, HIDDEN],
]

/** A URL with user information is masked after its scheme, because passwords may have any character. */
const withoutUserInfo = (word: string): string => {
  const scheme = word.indexOf('://')
  if (scheme < 1 || word.indexOf('@', scheme) < 0) return word
  const quote = /["'>]$/.exec(word)?.[0] ?? ''
  return `${word.slice(0, scheme)}://${HIDDEN}${quote}`
}

const named = (_: string, name: string, quote = '', escapedQuote = ''): string =>
  `${name}${quote}${escapedQuote}${HIDDEN}`

/**
 * The text without what looks like a secret: connection strings with a user, authorization and cookie headers, values
 * named like a password, token or key, `sk-...` and other providers' keys, JSON web tokens, private keys. When in
 * doubt it hides more; it hides nothing twice. Takes time linear in the text.
 */
export const maskSecrets = (text: string): string => {
  let masked = text
    .replace(PRIVATE_KEY, HIDDEN)
    .replace(/\S+/g, withoutUserInfo)
    .replace(HEADER, named)
    .replace(NAMED, named)
  for (const [pattern, instead] of TOKENS) masked = masked.replace(pattern, instead)
  return masked
}

const SECRET_NAME = new RegExp(`(?:${NAMES}|authorization|cookie|database[_-]?url|connection[_-]?string)$`, 'i')

/** Whether a member with this name is a secret, independent of its value. */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name)
