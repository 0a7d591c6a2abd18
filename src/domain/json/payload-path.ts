/** A member of payloads with the value that is looked for. */
export interface PayloadCondition {
  /** A path that is declared for search, such as `customer.id`; `*`: any of them. */
  readonly path: string
  /** The whole value as text; of a longer one its first 200 characters. */
  readonly value: string
}

/** Stands for every declared path. */
export const ANY_PATH = '*'
const MAX_PATH = 200
export const MAX_SEARCHED_VALUE = 200

/** Why a text cannot be a path; null: it can. */
export const pathFault = (path: string): string | null =>
  path.length <= MAX_PATH &&
  path !== ANY_PATH &&
  /^[^.:=\s]+(\.[^.:=\s]+)*$/u.test(path) &&
  path.isWellFormed() &&
  !path.includes('\u0000')
    ? null
    : `must be names of members joined by dots, such as customer.id, without spaces, ':' and '=', at most ${MAX_PATH} characters`

/** A path and a value that are joined by `separator`, such as `orderId:ORD-30021`; null: it is not there. */
export const parsePayloadCondition = (text: string, separator: ':' | '='): PayloadCondition | null => {
  const at = text.indexOf(separator)
  return at < 1 ? null : { path: text.slice(0, at).trim(), value: text.slice(at + 1) }
}
