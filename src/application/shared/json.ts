import { type Either, left, map, right } from 'fp-ts/lib/Either.js'
import type { Json } from '../../domain/json/json.ts'
import { extraDigits, numberFault } from '../../domain/json/json-numbers.ts'
import { type PathStep, pathText } from '../../domain/json/json-text.ts'
import { isPlain, kindFault } from './json-kinds.ts'
import { heldBytes } from './json-size.ts'

/** Largest JSON text of a payload or a result, in bytes. */
export const MAX_JSON_BYTES = 1_048_576
/** A deeper value is refused as an attack or a mistake. */
export const MAX_JSON_DEPTH = 100

/** How an error message names the value. */
export interface JsonPlace {
  /** The prefix of the path: `data` gives `data.user is a Promise`. Default: none. */
  readonly root?: string
  /** What the value is for. Default `sending`. */
  readonly before?: 'sending' | 'returning'
}

/**
 * A copy of a value, if it is JSON that PostgreSQL stores unchanged: no promises, errors, typed arrays, class instances,
 * functions, symbols, bigints, lists with holes, cycles, NUL characters, lone surrogates, or numbers that would be rounded;
 * at most 1 MiB as text (with numbers written out) and 100 levels deep. Left is one sentence with the path. As in
 * `JSON.stringify`, `toJSON` is used (for dates too), undefined members are left out, and undefined items become null.
 * Getters and `toJSON` are called once. `__proto__` is a normal member.
 */
export const parseJson = (value: unknown, place: JsonPlace = {}): Either<string, Json> =>
  map(({ json }: SizedJson) => json)(parseSizedJson(value, place))

/** A value and about how many bytes a statement needs for it. */
export interface SizedJson {
  readonly json: Json
  readonly bytes: number
}

/** As `parseJson`, with the size; that of a small value is counted while it is copied. */
export const parseSizedJson = (value: unknown, place: JsonPlace = {}): Either<string, SizedJson> => {
  const walk: Walk = { place, path: [], above: [], atMost: 0, isSpelledOut: false }
  try {
    const json = copy(value, walk)
    if (json === undefined) return left('the value is undefined; use null for "nothing"')
    const fault = walk.atMost <= MAX_JSON_BYTES ? null : sizeFault(json, walk.isSpelledOut)
    if (fault !== null) return left(fault)
    return right({ json, bytes: walk.atMost <= SMALL ? walk.atMost : heldBytes(json) })
  } catch (error) {
    if (error instanceof Fault) return left(error.message)
    return left(`the value cannot be written as JSON: ${storableText(messageOf(error), 200)}`)
  }
}

/** A getter may throw anything. */
const messageOf = (thrown: unknown): string => {
  try {
    return String((thrown as Error)?.message)
  } catch {
    return 'a getter threw something that cannot be read'
  }
}

interface Walk {
  readonly place: JsonPlace
  readonly path: PathStep[]
  readonly above: object[]
  /** An upper limit of the text's bytes, so that most values need not be serialised to know that they are small. */
  atMost: number
  /** PostgreSQL writes at least one number with more characters than JavaScript. */
  isSpelledOut: boolean
}

class Fault extends Error {}

const refuse = (walk: Walk, fault: string): never => {
  throw new Fault(`${at(walk)} ${fault}`)
}

const at = ({ path, place: { root } }: Walk): string => {
  if (path.length === 0) return 'the value'
  return root === undefined ? `'${pathText(path)}'` : pathText([root, ...path])
}

/** A thousand values of this size fit into a statement. */
const SMALL = 8 * 1024

/** The most bytes of a character in JSON text: a control character has six. */
const LONGEST_CHARACTER = 6
const LONGEST_NUMBER = 100

const copy = (value: unknown, walk: Walk): Json | undefined => {
  switch (typeof value) {
    case 'string': {
      const fault = textFault(value)
      if (fault !== null) refuse(walk, fault)
      walk.atMost += value.length * LONGEST_CHARACTER + 3
      return value
    }
    case 'number': {
      const fault = numberFault(value)
      if (fault !== null) refuse(walk, fault)
      walk.atMost += LONGEST_NUMBER
      if (value < 1e-6 && value > -1e-6 && value !== 0) walk.isSpelledOut = true
      // PostgreSQL has no -0
      return value === 0 ? 0 : value
    }
    case 'boolean':
      walk.atMost += 6
      return value
    case 'undefined':
      return undefined
    case 'object':
      walk.atMost += 5
      return value === null ? null : copyObject(value, walk)
    default:
      return refuse(walk, `is a ${typeof value}, which JSON cannot hold`)
  }
}

const copyObject = (value: object, walk: Walk): Json | undefined => {
  const isList = Array.isArray(value)
  if (walk.above.length >= MAX_JSON_DEPTH) refuseDepth(walk)
  if (!isList && !isPlain(value)) {
    const fault = kindFault(value, walk.place.before ?? 'sending')
    if (fault !== null) refuse(walk, fault)
  }
  walk.above.push(value)
  const copied =
    'toJSON' in value && typeof value.toJSON === 'function'
      ? copy(callToJson(value as WithToJson, walk), walk)
      : isList
        ? copyList(value, walk)
        : copyMembers(value, walk)
  walk.above.pop()
  return copied
}

const copyList = (list: readonly unknown[], walk: Walk): Json => {
  const copied: Json[] = []
  for (let i = 0; i < list.length; i++) {
    walk.path.push(i)
    const item = copy(list[i], walk)
    if (item === undefined && !(i in list))
      refuse(walk, 'is a hole in a list, which JSON cannot hold: fill it, or use null')
    copied.push(item ?? null)
    walk.path.pop()
  }
  return copied
}

const copyMembers = (value: object, walk: Walk): Json => {
  const copied: { [name: string]: Json } = {}
  for (const name of Object.keys(value)) {
    const member = (value as Readonly<Record<string, unknown>>)[name]
    walk.path.push(name)
    const fault = textFault(name)
    if (fault !== null) throw new Fault(`the name '${pathText(walk.path)}' ${fault}`)
    const kept = copy(member, walk)
    if (kept !== undefined) {
      walk.atMost += name.length * LONGEST_CHARACTER + 4
      if (name === '__proto__') Object.defineProperty(copied, name, { ...MEMBER, value: kept })
      else copied[name] = kept
    }
    walk.path.pop()
  }
  return copied
}

/** As by an assignment, but also right for `__proto__`. */
const MEMBER = { configurable: true, enumerable: true, writable: true }

interface WithToJson {
  readonly toJSON: (key: string) => unknown
}

const callToJson = (value: WithToJson, walk: Walk): unknown => {
  try {
    return value.toJSON(String(walk.path.at(-1) ?? ''))
  } catch (error) {
    return refuse(walk, `has a toJSON that throws: ${storableText(String((error as Error)?.message), 200)}`)
  }
}

/** Too deep, perhaps because of a cycle. Cycles are searched only here, because checking each object would cost more. */
const refuseDepth = (walk: Walk): never => {
  const { above, path } = walk
  const place = above.findIndex((value, i) => above.indexOf(value) < i)
  // the result of toJSON adds nothing to the path
  if (place < 0 || above.length > path.length) return refuse(walk, `is nested deeper than ${MAX_JSON_DEPTH} levels`)
  return refuse({ ...walk, path: path.slice(0, place) }, 'refers back to itself, which JSON cannot hold')
}

const sizeFault = (json: Json, isSpelledOut: boolean): string | null => {
  const bytes = Buffer.byteLength(JSON.stringify(json)) + (isSpelledOut ? extraDigitsIn(json) : 0)
  if (bytes <= MAX_JSON_BYTES) return null
  const how = isSpelledOut ? 'as JSON with its numbers written out' : 'as JSON'
  return `the value has ${bytes} bytes ${how}; at most ${MAX_JSON_BYTES} (1 MiB) are allowed`
}

const extraDigitsIn = (json: Json): number => {
  if (typeof json === 'number') return extraDigits(json)
  if (typeof json !== 'object' || json === null) return 0
  return Object.values(json).reduce<number>((sum, member) => sum + extraDigitsIn(member), 0)
}

const textFault = (text: string): string | null => {
  if (text.includes('\u0000')) return 'holds a NUL character, which PostgreSQL cannot store'
  return text.isWellFormed() ? null : 'holds half a surrogate pair, which is not valid text'
}

/** A text that PostgreSQL can store, for error messages, which must never be refused. Cut at `max` characters. */
export const storableText = (text: string, max = 10_000): string => {
  const clean = text.replaceAll('\u0000', '').toWellFormed()
  return clean.length > max ? `${clean.slice(0, max).toWellFormed()}... (${clean.length} characters)` : clean
}
