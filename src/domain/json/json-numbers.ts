/** PostgreSQL writes numbers nearer to zero than this with a hundred digits. */
const SMALLEST = 1e-80
const LONGEST_LITERAL = 100
/** A 64-bit number keeps at least this many digits. */
const SURE_DIGITS = 15

const ROUNDED = `is past ${Number.MAX_SAFE_INTEGER} (2^53 - 1), where numbers are rounded: send it as a text`
const TOO_SMALL = `is nearer to zero than ${SMALLEST}: send it as a text`

/** Why a number cannot be stored exactly; null: it can. Without the number itself, which may be a secret. */
export const numberFault = (value: number): string | null => {
  if (value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER) {
    return value < SMALLEST && value > -SMALLEST && value !== 0 ? TOO_SMALL : null
  }
  return Number.isFinite(value) ? ROUNDED : `is ${value}, which JSON cannot hold`
}

/** The same for a number as JSON text, before it is rounded. */
export const literalFault = (literal: string): string | null => {
  if (literal.length > LONGEST_LITERAL) return `has more than ${LONGEST_LITERAL} characters: send it as a text`
  const value = Number(literal)
  if (!Number.isFinite(value)) return ROUNDED
  const digits = significant(literal)
  if (value === 0 && digits !== '') return TOO_SMALL
  const fault = numberFault(value)
  if (fault !== null || digits.length <= SURE_DIGITS) return fault
  // written as JavaScript writes it, or with as many digits as its value has
  return [String(value), value.toPrecision(digits.length)].some(text => significant(text) === digits)
    ? null
    : 'has more digits than a number can keep, and would be rounded: send it as a text'
}

/** The significant digits: no sign, point, exponent or zeros around them. */
const significant = (literal: string): string =>
  literal
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '')

/** How many more characters PostgreSQL writes for a number than JavaScript, which writes `1e-7` for `0.0000001`. */
export const extraDigits = (value: number): number => {
  if (value === 0 || value >= 1e-6 || value <= -1e-6) return 0
  const text = String(value)
  const e = text.indexOf('e')
  const point = text.includes('.') ? 1 : 0
  // 0. and the zeros come before the digits; the point and the exponent go
  return Number(text.slice(e + 2)) + 1 - point - (text.length - e)
}
