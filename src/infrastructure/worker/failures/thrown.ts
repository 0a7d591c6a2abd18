import { types } from 'node:util'
import { maskSecrets } from '../../../application/shared/mask-secrets.ts'

/** Names of errors that were not given a name. */
const BUILT_IN = new Set([
  'Error',
  'AggregateError',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'Object',
])
/** A class of one or two letters was renamed by a minifier. */
const MINIFIED = /^[\w$]{1,2}$/
const CODE = /^[\w$][\w.$:/-]{0,199}$/
const DEEPEST_CAUSE = 5

/** A member of any value; undefined where it cannot be read, as reading it may throw. */
export const memberOf = (value: unknown, name: string): unknown => {
  try {
    return (value as { readonly [name: string]: unknown } | null | undefined)?.[name]
  } catch {
    return undefined
  }
}

export const isError = (value: unknown): value is Error => value instanceof Error || types.isNativeError(value)

/** The members of an AggregateError. */
export const membersOf = (error: unknown): readonly unknown[] => {
  const errors = isError(error) ? memberOf(error, 'errors') : undefined
  return Array.isArray(errors) ? errors : []
}

/** A text that can be shown, or undefined. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined

/** A code to filter and group by: one word that is not a secret. */
const wordOf = (value: unknown): string | undefined =>
  typeof value === 'string' && CODE.test(value) && maskSecrets(value) === value ? value : undefined

/**
 * The code of a failure: the error's own `code`, else the name it was given, else that of its class. An error with only a
 * general name takes the code of its cause, if there is one.
 */
export const codeOf = (thrown: unknown): string => ownCodeOf(thrown) ?? codeOfCause(thrown, 1) ?? kindOf(thrown)

const ownCodeOf = (thrown: unknown): string | undefined => {
  if (typeof thrown !== 'object' || thrown === null) return undefined
  const name = wordOf(memberOf(thrown, 'name'))
  const given = name === undefined || BUILT_IN.has(name) ? undefined : name
  const type = isError(thrown) ? classOf(thrown) : undefined
  const own = type === undefined || BUILT_IN.has(type) || MINIFIED.test(type) ? undefined : type
  return wordOf(memberOf(thrown, 'code')) ?? given ?? own
}

const codeOfCause = (thrown: unknown, depth: number): string | undefined => {
  const cause = isError(thrown) ? memberOf(thrown, 'cause') : undefined
  if (cause === undefined || depth > DEEPEST_CAUSE) return undefined
  return wordOf(memberOf(cause, 'code')) ?? codeOfCause(cause, depth + 1)
}

const kindOf = (thrown: unknown): string =>
  isError(thrown) ? (wordOf(memberOf(thrown, 'name')) ?? classOf(thrown) ?? 'Error') : typeof thrown

const classOf = (error: Error): string | undefined => wordOf(memberOf(memberOf(error, 'constructor'), 'name'))
