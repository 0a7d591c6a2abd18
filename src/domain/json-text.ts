import { type Either, left, right } from 'fp-ts/lib/Either.js'

/** What is wrong with a JSON value, and where: `lines[1].price`; '' is the value itself. Never the value: it may be a secret. */
export interface JsonFault {
  readonly path: string
  readonly message: string
}

/** Nearer to zero than this, PostgreSQL writes a number out with a hundred digits and more. */
const SMALLEST = 1e-80
const LONGEST_NUMBER = 100
/** So many digits always survive in a number of 64 bits. */
const SURE_DIGITS = 15

const ROUNDED = `is past ${Number.MAX_SAFE_INTEGER} (2^53 - 1), where numbers are rounded: send it as a text`

/** Null: the number is kept as it is. */
export const numberFault = (value: number): string | null => {
  if (value <= Number.MAX_SAFE_INTEGER && value >= -Number.MAX_SAFE_INTEGER) {
    return (value < SMALLEST && value > -SMALLEST && value !== 0) ? `is nearer to zero than ${SMALLEST}: send it as a text` : null
  }
  return Number.isFinite(value) ? ROUNDED : `is ${value}, which JSON cannot hold`
}

/** The same of a number as it was written, before it is rounded. */
const literalFault = (literal: string): string | null => {
  if (literal.length > LONGEST_NUMBER) return `is a number of more than ${LONGEST_NUMBER} characters: send it as a text`
  const value = Number(literal)
  if (!Number.isFinite(value)) return ROUNDED
  const digits = significant(literal)
  if (value === 0 && digits !== '') return `is nearer to zero than ${SMALLEST}: send it as a text`
  const fault = numberFault(value)
  if (fault !== null || digits.length <= SURE_DIGITS) return fault
  return significant(value.toPrecision(digits.length)) === digits
    ? null
    : 'has more digits than a number can keep, and would be rounded: send it as a text'
}

/** The digits that count: no sign, no point, no exponent, no zeros around them. */
const significant = (literal: string): string =>
  literal
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '')

export const FORBIDDEN_NAME = 'is not allowed as a name: it would reach the prototype of an object'

/** Whether copying this member to another object could change more than that object. */
export const isForbiddenName = (name: string, member: unknown): boolean =>
  name === '__proto__' || (name === 'constructor' && reachesPrototype(member))

const reachesPrototype = (member: unknown): boolean =>
  typeof member === 'object' && member !== null && Object.hasOwn(member, 'prototype')

/** The path of the first name that is not allowed in a value that was parsed from JSON; null: there is none. */
export const forbiddenPathOf = (value: unknown, path = ''): string | null => {
  if (typeof value !== 'object' || value === null) return null
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const found = forbiddenPathOf(value[i], `${path}[${i}]`)
      if (found !== null) return found
    }
    return null
  }
  for (const name of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[name]
    const at = memberPath(path, name)
    if (isForbiddenName(name, member)) return name === 'constructor' ? `${at}.prototype` : at
    if (typeof member !== 'object') continue
    const found = forbiddenPathOf(member, at)
    if (found !== null) return found
  }
  return null
}

export const memberPath = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)
