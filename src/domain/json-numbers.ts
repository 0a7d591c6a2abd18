/** A literal longer than this is no number that anybody measured; 17 digits are all that a number holds. */
export const MAX_NUMBER_LENGTH = 100

/** Whether a number is kept as it is: whole numbers beyond 2^53 - 1 are rounded by JSON.parse and by JavaScript itself. */
export const isExact = (value: number): boolean => value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER

export const INEXACT = 'a number beyond 2^53 - 1, which would be rounded: send it as a text'

/** How many more characters PostgreSQL writes for this number than JavaScript: `1e-300` has 302 digits there. */
export const extraDigits = (value: number): number => {
  if (value === 0 || value >= 1e-6 || value <= -1e-6) return 0
  const text = String(value)
  const e = text.indexOf('e')
  const dot = text.includes('.') ? 1 : 0
  return Number(text.slice(e + 2)) - (text.length - e) + 1 - dot
}

export interface NumberFault {
  /** Of the value, such as `lines[1].price`; empty for the whole. */
  readonly path: string
  /** `12...89, a number beyond ...` */
  readonly message: string
}

/**
 * The first number in a JSON text that JSON.parse would change in a way that matters: a whole number beyond 2^53 - 1, one that is
 * written with more than 100 characters, and one so small that it becomes 0. Null when there is none. The text must be
 * valid JSON. Takes one pass, which texts are skipped in.
 */
export const numberFault = (text: string): NumberFault | null => {
  if (!SUSPICIOUS.test(text)) return null
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfText(text, i)
    else if (isNumeric(code)) {
      const end = endOfNumber(text, i)
      const why = faultOf(text.slice(i, end))
      if (why !== null) return { path: pathTo(text, i), message: `is ${clipped(text.slice(i, end))}, ${why}` }
      i = end
    } else i++
  }
  return null
}

/** Without sixteen digits in a row or an exponent, no number can be at fault. */
const SUSPICIOUS = /\d{16}|\d[eE][+-]?\d/

const QUOTE = 34
const BACKSLASH = 92

/** `0`-`9` and what else stands in numbers only: minus, plus, dot; `e` of an exponent follows a digit. */
const isNumeric = (code: number): boolean => (code >= 48 && code <= 57) || code === 45

const endOfNumber = (text: string, from: number): number => {
  let end = from + 1
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (!isNumeric(code) && code !== 46 && code !== 43 && code !== 101 && code !== 69) break
  }
  return end
}

/** Behind the closing quote of the text that begins here. */
const endOfText = (text: string, from: number): number => {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return end + 1
  }
  return text.length
}

const faultOf = (literal: string): string | null => {
  if (literal.length > MAX_NUMBER_LENGTH) {
    return `a number of ${literal.length} characters; at most ${MAX_NUMBER_LENGTH} are allowed: send it as a text`
  }
  const value = Number(literal)
  if (!isExact(value)) return INEXACT
  return value === 0 && /^[^eE]*[1-9]/.test(literal) ? 'which would become 0: send it as a text' : null
}

const clipped = (literal: string): string => (literal.length > 40 ? `${literal.slice(0, 40)}...` : literal)

/** Where in the value the offset lies. */
const pathTo = (text: string, offset: number): string => {
  const above: (string | number)[] = []
  let name = ''
  for (let i = 0; i < offset; i++) {
    const at = text[i]
    if (at === '"') {
      const end = endOfText(text, i)
      name = text.slice(i, end)
      i = end - 1
    } else if (at === '{') above.push('')
    else if (at === '[') above.push(0)
    else if (at === '}' || at === ']') above.pop()
    else if (at === ':') above[above.length - 1] = JSON.parse(name)
    else if (at === ',') {
      const last = above.at(-1)
      if (typeof last === 'number') above[above.length - 1] = last + 1
    }
  }
  const path = above.reduce<string>(
    (before, key) => (typeof key === 'number' ? `${before}[${key}]` : before === '' ? key : `${before}.${key}`),
    '',
  )
  return path.length > 80 ? `${path.slice(0, 80).toWellFormed()}...` : path
}
