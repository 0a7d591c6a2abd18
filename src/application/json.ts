import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { Json } from '../domain/command/events.ts'

/** Largest JSON text of a payload or a result, in bytes. */
export const MAX_JSON_BYTES = 1_048_576
/** Deeper than this is taken for an attack or a mistake. */
export const MAX_JSON_DEPTH = 100

/**
 * Checks that a value is JSON that PostgreSQL keeps as it is: no functions, symbols, bigints, cycles, NUL characters or
 * half surrogates, at most 1 MiB as text and 100 levels deep. Left is one sentence with the path. Dates and other
 * objects with `toJSON` become what they stand for; undefined members are left out, as in `JSON.stringify`.
 */
export const parseJson = (value: unknown): Either<string, Json> => {
  try {
    return checked(value)
  } catch (error) {
    return left(`the value cannot be written as JSON: ${storableText(String((error as Error)?.message), 200)}`)
  }
}

const checked = (value: unknown): Either<string, Json> => {
  const fault = faultOf(value, '', 0, new Set())
  if (fault !== null) return left(fault)
  const text = JSON.stringify(value)
  if (text === undefined) return left('the value is undefined; use null for "nothing"')
  const bytes = Buffer.byteLength(text)
  return bytes > MAX_JSON_BYTES
    ? left(`the value has ${bytes} bytes as JSON; at most ${MAX_JSON_BYTES} (1 MiB) are allowed`)
    : right(JSON.parse(text))
}

const faultOf = (value: unknown, path: string, depth: number, above: Set<object>): string | null => {
  const at = path === '' ? 'the value' : `'${clipped(path)}'`
  switch (typeof value) {
    case 'string':
      return textFault(value, at)
    case 'number':
      return Number.isFinite(value) ? null : `${at} is ${value}, which JSON cannot hold`
    case 'boolean':
      return null
    case 'undefined':
      return path === '' ? 'the value is undefined; use null for "nothing"' : null
    case 'object':
      return value === null ? null : objectFault(value, path, at, depth, above)
    default:
      return `${at} is a ${typeof value}, which JSON cannot hold`
  }
}

const objectFault = (value: object, path: string, at: string, depth: number, above: Set<object>): string | null => {
  if (depth >= MAX_JSON_DEPTH) return `${at} is nested deeper than ${MAX_JSON_DEPTH} levels`
  const kind = BOXED.find(type => value instanceof type)
  if (kind !== undefined) return `${at} is a ${kind.name}, which JSON cannot hold`
  if (above.has(value)) return `${at} refers back to itself, which JSON cannot hold`
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return jsonFault(value.toJSON as () => unknown, value, path, at, depth, above)
  above.add(value)
  const fault = Array.isArray(value)
    ? first(value, (item, i) => faultOf(item, `${path}[${i}]`, depth + 1, above))
    : first(Object.entries(value), ([name, member]) => {
        const memberPath = path === '' ? name : `${path}.${name}`
        return textFault(name, `the name '${clipped(memberPath)}'`) ?? faultOf(member, memberPath, depth + 1, above)
      })
  above.delete(value)
  return fault
}

/** They would be written as an empty object. */
const BOXED = [Map, Set, BigInt, Number, String, Boolean]

const clipped = (path: string): string => (path.length > 80 ? `${path.slice(0, 80)}...` : path)

const jsonFault = (
  toJSON: () => unknown,
  value: object,
  path: string,
  at: string,
  depth: number,
  above: Set<object>,
) => {
  try {
    return faultOf(toJSON.call(value), path, depth + 1, above)
  } catch (error) {
    return `${at} has a toJSON that throws: ${storableText(String((error as Error)?.message), 200)}`
  }
}

const textFault = (text: string, at: string): string | null => {
  if (text.includes('\u0000')) return `${at} holds a NUL character, which PostgreSQL cannot store`
  return text.isWellFormed() ? null : `${at} holds half a surrogate pair, which is no valid text`
}

const first = <A>(items: readonly A[], check: (item: A, index: number) => string | null): string | null => {
  for (let i = 0; i < items.length; i++) {
    const fault = check(items[i] as A, i)
    if (fault !== null) return fault
  }
  return null
}

/** Text as PostgreSQL can store it: for messages of errors, which must never be refused. Cut at `max` characters. */
export const storableText = (text: string, max = 10_000): string => {
  const clean = text.replaceAll('\u0000', '').toWellFormed()
  return clean.length > max ? `${clean.slice(0, max).toWellFormed()}... (${clean.length} characters)` : clean
}
