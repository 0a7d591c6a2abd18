import { type Either, left, right } from 'fp-ts/lib/Either.js'
import { literalFault } from './json-numbers.ts'

/** What is wrong with a JSON value, and where: `lines[1].price`; '' is the whole value. Without the value itself, which may be a secret. */
export interface JsonFault {
  readonly path: string
  readonly message: string
}

/**
 * Parses JSON text. Left: the first number that JSON.parse would change silently.
 * @throws SyntaxError when the text is not JSON
 */
export const parseJsonText = (text: string): Either<JsonFault, unknown> => {
  const value: unknown = JSON.parse(text)
  const fault = numberFaultIn(text)
  return fault === null ? right(value) : left(fault)
}

/** The name of a member, or the index of an item. */
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

/** The first number of a JSON text that would not be stored as it is written. One pass; strings are skipped. */
const numberFaultIn = (text: string): JsonFault | null => {
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfText(text, i)
    else if ((code >= ZERO && code <= NINE) || code === MINUS) {
      const end = endOfNumber(text, i)
      // short ones without an exponent are always exact
      const message = end - i <= SHORT && !hasExponent(text, i, end) ? null : literalFault(text.slice(i, end))
      if (message !== null) return { path: pathText(pathTo(text, i)), message }
      i = end
    } else i++
  }
  return null
}

const SHORT = 15

/** The offset after the closing quote of the string that begins at `from`. */
const endOfText = (text: string, from: number): number => {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return end + 1
  }
  return text.length
}

/** `,`, `]`, `}` and blanks end a number. */
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

/** The path to an offset; called only for a fault. */
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
