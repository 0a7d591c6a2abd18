import { HIDDEN, isSecretName, maskSecrets } from '../../../application/shared/mask-secrets.ts'
import type { Json } from '../../../domain/json/json.ts'

export interface Redacted {
  readonly value: Json
  /** The redacted paths: `error.message`, `data.card.number`. */
  readonly paths: readonly string[]
}

/** The rules that find secrets, in words for the header of a file. */
export const rulesOf = (names: readonly string[]): readonly string[] => [
  'members named like a password, token, key or credential',
  'texts that look like a key, a token or a connection string',
  ...names.map(name => `members named ${name}`),
]

/** The value without secrets, which are found by the name of a member or by the form of a text. */
export const redactJson = (value: Json, names: readonly string[] = []): Redacted => {
  const paths: string[] = []
  const hidden = new Set(names.map(name => name.toLowerCase()))
  const isHidden = (name: string): boolean => hidden.has(name.toLowerCase()) || isSecretName(name)
  const walk = (part: Json, path: string): Json => {
    if (typeof part === 'string') {
      const masked = maskSecrets(part)
      if (masked !== part) paths.push(path)
      return masked
    }
    if (part === null || typeof part !== 'object') return part
    if (Array.isArray(part)) return part.map((one, i) => walk(one, join(path, String(i))))
    const change = changedNames(part)
    return Object.fromEntries(
      Object.entries(part).map(([name, one]) => {
        const at = join(path, name)
        const names = change !== null && (name === 'from' || name === 'to') ? [...change, name] : [name]
        if (one === null || !names.some(isHidden)) return [name, walk(one, at)]
        paths.push(at)
        return [name, HIDDEN]
      }),
    )
  }
  return { value: walk(value, ''), paths }
}

/** The names on the path of a difference between two payloads, if that is what the value is: its `from` and `to` stand there. */
const changedNames = (value: object): readonly string[] | null =>
  'op' in value && 'path' in value && typeof value.path === 'string'
    ? value.path.split('/').map(name => name.replaceAll('~1', '/').replaceAll('~0', '~'))
    : null

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)
