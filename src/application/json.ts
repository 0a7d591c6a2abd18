import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { Json } from '../domain/command/events.ts'
import { extraDigits, INEXACT, isExact } from '../domain/json-numbers.ts'

/** Largest JSON text of a payload or a result, in bytes. */
export const MAX_JSON_BYTES = 1_048_576
/** Deeper than this is taken for an attack or a mistake. */
export const MAX_JSON_DEPTH = 100

/** How a refusal speaks of the value. */
export interface JsonPlace {
  /** What stands before the path: `data` gives `data.user is a Promise`. Default: nothing. */
  readonly root?: string
  /** What is about to be done with it. Default `sending`. */
  readonly before?: 'sending' | 'returning'
}

export interface SizedJson {
  readonly json: Json
  /** Of its text as PostgreSQL writes it, without blanks. */
  readonly bytes: number
}

/**
 * A copy of a value that is JSON which PostgreSQL keeps as it is: no functions, symbols, bigints, promises, errors, typed
 * arrays, instances of classes, cycles, NUL characters, half surrogates or numbers beyond 2^53 - 1; at most 1 MiB as text,
 * with all digits of its numbers, and 100 levels deep. Left is one sentence with the path. Dates and other objects with
 * `toJSON` become what they stand for; undefined members are left out, as in `JSON.stringify`. A member named `__proto__`
 * is a member like any other.
 */
export const parseJson = (value: unknown, place: JsonPlace = {}): Either<string, Json> => {
  const parsed = parseSizedJson(value, place)
  return parsed._tag === 'Left' ? parsed : right(parsed.right.json)
}

/** The same, with its size. */
export const parseSizedJson = (value: unknown, place: JsonPlace = {}): Either<string, SizedJson> => {
  const copier = new Copier(place)
  try {
    const json = copier.copy(value, '', 0)
    if (json === undefined) return left('the value is undefined; use null for "nothing"')
    const bytes = Buffer.byteLength(JSON.stringify(json)) + copier.digits
    if (bytes <= MAX_JSON_BYTES) return right({ json, bytes })
    const how = copier.digits === 0 ? 'as JSON' : 'as PostgreSQL writes it, with all digits of its numbers'
    return left(`the value has ${bytes} bytes ${how}; at most ${MAX_JSON_BYTES} (1 MiB) are allowed`)
  } catch (error) {
    return left(
      error instanceof Fault
        ? error.message
        : `the value cannot be written as JSON: ${storableText(String((error as Error)?.message), 200)}`,
    )
  }
}

class Fault extends Error {}

type Copied = Json | undefined

/** One walk makes the copy and finds the first fault; what a getter or a `toJSON` gives is asked for once. */
class Copier {
  /** Characters that PostgreSQL writes for numbers and JavaScript does not. */
  digits = 0
  readonly #above: object[] = []
  readonly #root: string
  readonly #before: string

  constructor({ root = '', before = 'sending' }: JsonPlace) {
    this.#root = root
    this.#before = before
  }

  copy(value: unknown, path: string, depth: number): Copied {
    switch (typeof value) {
      case 'string': {
        const fault = textFault(value)
        if (fault !== null) this.#refuse(path, fault)
        return value
      }
      case 'number':
        return this.#number(value, path)
      case 'boolean':
      case 'undefined':
        return value
      case 'object':
        return value === null ? null : this.#object(value, path, depth)
      case 'bigint':
        return this.#refuse(path, 'is a bigint, which JSON cannot hold: send it as a text')
      default:
        return this.#refuse(path, `is a ${typeof value}, which JSON cannot hold`)
    }
  }

  #number(value: number, path: string): number {
    if (!isExact(value)) {
      this.#refuse(path, Number.isFinite(value) ? `is ${value}, ${INEXACT}` : `is ${value}, which JSON cannot hold`)
    }
    this.digits += extraDigits(value)
    // there is no -0 in PostgreSQL
    return value === 0 ? 0 : value
  }

  #object(value: object, path: string, depth: number): Copied {
    if (depth >= MAX_JSON_DEPTH) this.#refuse(path, `is nested deeper than ${MAX_JSON_DEPTH} levels`)
    if (this.#above.includes(value)) this.#refuse(path, 'refers back to itself, which JSON cannot hold')
    const isList = Array.isArray(value)
    if (!isList && !isPlain(value)) {
      const fault = this.#kindFault(value)
      if (fault !== null) this.#refuse(path, fault)
    }
    if ('toJSON' in value && typeof value.toJSON === 'function') {
      return this.copy(this.#told(value as { toJSON: () => unknown }, path), path, depth + 1)
    }
    this.#above.push(value)
    const copied = isList ? this.#list(value, path, depth) : this.#members(value, path, depth)
    this.#above.pop()
    return copied
  }

  #list(list: readonly unknown[], path: string, depth: number): Json {
    const copied: Json[] = []
    for (let i = 0; i < list.length; i++) {
      const item = list[i]
      // paths are texts that are hardly ever read: none is made for what cannot be at fault
      copied.push(isHarmless(item) ? item : (this.copy(item, `${path}[${i}]`, depth + 1) ?? null))
    }
    return copied
  }

  #members(value: object, path: string, depth: number): Json {
    const copied: { [name: string]: Json } = {}
    for (const name of Object.keys(value)) {
      const below = path === '' ? name : `${path}.${name}`
      const fault = textFault(name)
      if (fault !== null) throw new Fault(`the name '${clipped(below)}' ${fault}`)
      const member = this.copy((value as Record<string, unknown>)[name], below, depth + 1)
      if (member === undefined) continue
      if (name === '__proto__') Object.defineProperty(copied, name, { ...MEMBER, value: member })
      else copied[name] = member
    }
    return copied
  }

  #told(value: { toJSON: () => unknown }, path: string): unknown {
    try {
      return value.toJSON()
    } catch (error) {
      return this.#refuse(path, `has a toJSON that throws: ${storableText(String((error as Error)?.message), 200)}`)
    }
  }

  /** Why something that is neither a list nor a plain object is no JSON, unless its `toJSON` says what it stands for. */
  #kindFault(value: object): string | null {
    if ('then' in value && typeof value.then === 'function') {
      return `is a Promise: await it before ${this.#before}`
    }
    if (ArrayBuffer.isView(value)) {
      return `is ${named(value)}, which JSON cannot hold: make it a text (base64) or a list of numbers`
    }
    if (value instanceof Date && Number.isNaN(value.getTime())) return 'is a Date that is no date'
    if ('toJSON' in value && typeof value.toJSON === 'function') return null
    if (value instanceof Error) return `is ${named(value)}, which JSON cannot hold: take its message and code`
    return `is ${named(value)}, which JSON cannot hold: make it a plain object, or give it a toJSON`
  }

  #refuse(path: string, fault: string): never {
    throw new Fault(`${this.#at(path)} ${fault}`)
  }

  #at(path: string): string {
    if (path === '') return 'the value'
    if (this.#root === '') return `'${clipped(path)}'`
    return clipped(path.startsWith('[') ? `${this.#root}${path}` : `${this.#root}.${path}`)
  }
}

const MEMBER = { configurable: true, enumerable: true, writable: true }

const isHarmless = (item: unknown): item is boolean | null => item === null || typeof item === 'boolean'

/** Made by a literal or by JSON.parse, in this realm or in another one, such as a test runner's. */
const isPlain = (value: object): boolean => {
  const parent = Object.getPrototypeOf(value)
  if (parent === Object.prototype || parent === null) return true
  return Object.getPrototypeOf(parent) === null && Object.hasOwn(parent, 'isPrototypeOf')
}

/** `a Map`, `an Error`, `an object with a prototype of its own`. */
const named = (value: object): string => {
  const name: unknown = value.constructor?.name
  if (typeof name !== 'string' || name === '' || name === 'Object') return 'an object with a prototype of its own'
  return `${/^[AEIOU]/i.test(name) ? 'an' : 'a'} ${storableText(name, 60)}`
}

const clipped = (path: string): string => (path.length > 80 ? `${path.slice(0, 80)}...` : path)

const textFault = (text: string): string | null => {
  if (text.includes('\u0000')) return 'holds a NUL character, which PostgreSQL cannot store'
  return text.isWellFormed() ? null : 'holds half a surrogate pair, which is no valid text'
}

/** Text as PostgreSQL can store it: for messages of errors, which must never be refused. Cut at `max` characters. */
export const storableText = (text: string, max = 10_000): string => {
  const clean = text.replaceAll('\u0000', '').toWellFormed()
  return clean.length > max ? `${clean.slice(0, max).toWellFormed()}... (${clean.length} characters)` : clean
}
