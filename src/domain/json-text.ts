import { type Either, left, right } from 'fp-ts/lib/Either.js'
import { literalFault } from './json-numbers.ts'

/** What is wrong with a JSON value, and where: `lines[1].price`; '' is the whole. Never the value: it may be a secret. */
export interface JsonFault {
  readonly path: string
  readonly message: string
}

/**
 * Parses JSON text; Left is what JSON.parse would change without a word (numbers that are rounded), and names that would
 * reach an object's prototype. @throws SyntaxError where it is no JSON
 */
export const parseJsonText = (text: string): Either<JsonFault, unknown> => {
  const value: unknown = JSON.parse(text)
  const number = firstNumberFault(text)
  if (number !== null) return left(number)
  const path = MAY_HOLD_FORBIDDEN.test(text) ? forbiddenPathOf(value) : null
  return path === null ? right(value) : left({ path, message: FORBIDDEN_NAME })
}

const MAY_HOLD_FORBIDDEN = /__proto__|prototype|\\u/

export const FORBIDDEN_NAME = 'is not allowed as a name: it would reach the prototype of an object'

/** Whether copying this member could change more than the object it is copied to. */
export const isForbiddenName = (name: string, member: unknown): boolean =>
  name === '__proto__' || (name === 'constructor' && hasPrototype(member))

const hasPrototype = (member: unknown): boolean =>
  typeof member === 'object' && member !== null && Object.hasOwn(member, 'prototype')

/** Where the first such name is, in a value that was parsed from JSON; null: nowhere. */
export const forbiddenPathOf = (value: unknown): string | null => {
  const path: PathStep[] = []
  return holdsForbidden(value, path) ? pathText(path) : null
}

const holdsForbidden = (value: unknown, path: PathStep[]): boolean => {
  if (typeof value !== 'object' || value === null || path.length > DEEP_ENOUGH) return false
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (holdsForbiddenAt(i, value[i], path)) return true
    return false
  }
  for (const name of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[name]
    if (isForbiddenName(name, member)) {
      path.push(name)
      if (name === 'constructor') path.push('prototype')
      return true
    }
    if (holdsForbiddenAt(name, member, path)) return true
  }
  return false
}

const holdsForbiddenAt = (step: PathStep, member: unknown, path: PathStep[]): boolean => {
  if (typeof member !== 'object' || member === null) return false
  path.push(step)
  if (holdsForbidden(member, path)) return true
  path.pop()
  return false
}

/** What is nested deeper is refused for that, and must not fill the stack before. */
const DEEP_ENOUGH = 150

/** The name of a member, or the place of an item. */
export type PathStep = string | number

export const pathText = (path: readonly PathStep[]): string => {
  const text = path.reduce<string>(
    (before, step) => (typeof step === 'number' ? `${before}[${step}]` : before === '' ? step : `${before}.${step}`),
    '',
  )
  return text.length > MAX_PATH ? `${text.slice(0, MAX_PATH).toWellFormed()}...` : text
}

const MAX_PATH = 80
const QUOTE = 34
const BACKSLASH = 92
const MINUS = 45
const ZERO = 48
const NINE = 57

/** The first number of a text, which must be JSON, that is not kept as it is written. One pass, and texts are skipped. */
const firstNumberFault = (text: string): JsonFault | null => {
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfText(text, i)
    else if ((code >= ZERO && code <= NINE) || code === MINUS) {
      const end = endOfNumber(text, i)
      // the short ones, without an exponent, cannot be at fault
      const message = end - i <= SHORT && !hasExponent(text, i, end) ? null : literalFault(text.slice(i, end))
      if (message !== null) return { path: pathText(pathTo(text, i)), message }
      i = end
    } else i++
  }
  return null
}

const SHORT = 15

/** Behind the closing quote of the text that begins here. */
const endOfText = (text: string, from: number): number => {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return end + 1
  }
  return text.length
}

/** `,`, `]`, `}` and blanks end a number; all else that stands in one is `+`, `-`, `.`, digits, `e` and `E`. */
const endOfNumber = (text: string, from: number): number => {
  let end = from + 1
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code < 43 || code === 44 || (code > NINE && code !== 69 && code !== 101)) break
  }
  return end
}

const hasExponent = (text: string, from: number, end: number): boolean => {
  for (let i = from; i < end; i++) if (text.charCodeAt(i) > NINE) return true
  return false
}

/** Where in the value the offset lies; only asked where something is wrong. */
const pathTo = (text: string, offset: number): readonly PathStep[] => {
  const path: PathStep[] = []
  let name = '""'
  for (let i = 0; i < offset; i++) {
    switch (text[i]) {
      case '"':
        name = text.slice(i, endOfText(text, i))
        i += name.length - 1
        break
      case '{':
        path.push('')
        break
      case '[':
        path.push(0)
        break
      case '}':
      case ']':
        path.pop()
        break
      case ':':
        path[path.length - 1] = JSON.parse(name)
        break
      case ',': {
        const last = path.at(-1)
        if (typeof last === 'number') path[path.length - 1] = last + 1
        break
      }
    }
  }
  return path
}
