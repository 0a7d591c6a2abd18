import { type Either, left, right } from 'fp-ts/lib/Either.js'
import { literalFault } from './json-numbers.ts'

/** What is wrong with a JSON value, and where: `lines[1].price`; '' is the whole. Never the value: it may be a secret. */
export interface JsonFault {
  readonly path: string
  readonly message: string
}

/**
 * Parses JSON text. Left is the first number that JSON.parse would change without a word. @throws SyntaxError where it is
 * no JSON
 */
export const parseJsonText = (text: string): Either<JsonFault, unknown> => {
  const value: unknown = JSON.parse(text)
  const fault = numberFaultIn(text)
  return fault === null ? right(value) : left(fault)
}

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
const numberFaultIn = (text: string): JsonFault | null => {
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
