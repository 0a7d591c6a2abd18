import { types } from 'node:util'
import { maskSecrets } from '../../../application/shared/mask-secrets.ts'

/** What an error is called when nobody gave it a name. */
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

/** A member of anything; undefined where it cannot be read: looking at what was thrown may throw, too. */
export const memberOf = (value: unknown, name: string): unknown => {
  try {
    return (value as { readonly [name: string]: unknown } | null | undefined)?.[name]
  } catch {
    return undefined
  }
}

export const isError = (value: unknown): value is Error => value instanceof Error || types.isNativeError(value)

/** The errors that an AggregateError collects. */
export const membersOf = (error: unknown): readonly unknown[] => {
  const errors = isError(error) ? memberOf(error, 'errors') : undefined
  return Array.isArray(errors) ? errors : []
}

/** A text that can be shown, or nothing. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined

/** What can be filtered and grouped by: one word, and no secret. */
const wordOf = (value: unknown): string | undefined =>
  typeof value === 'string' && CODE.test(value) && maskSecrets(value) === value ? value : undefined

/**
 * What to call a failure: the error's own `code`, else the name it was given, else that of its class. An error that says
 * nothing but its kind is called by the code of its cause, where that has one.
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
