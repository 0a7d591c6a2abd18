import { type Either, isLeft } from 'fp-ts/lib/Either.js'
import { parseAuditType } from '../../domain/command/audit-names.ts'
import {
  domainOfQueue,
  parseCommandId,
  parseCommandType,
  parseCorrelationId,
  parseDomain,
  parseQueueName,
} from '../../domain/command/names.ts'
import { type CommandStatus, commandStatuses } from '../../domain/command/transitions.ts'
import type { Instant } from '../../domain/instant.ts'
import type { Json } from '../../domain/json/json.ts'
import { InvalidInputError, ReplyQueueRefusedError } from './errors.ts'
import { parseSizedJson, type SizedJson } from './json.ts'

/** Returns the parsed value, or throws an InvalidInputError with the field's name; so do all functions below. */
const accept = <A>(field: string, parsed: Either<string, A>): A => {
  if (isLeft(parsed)) throw new InvalidInputError(field, parsed.left)
  return parsed.right
}

const text = (field: string, value: unknown): string => {
  if (typeof value !== 'string') throw new InvalidInputError(field, `must be a text, not ${describe(value)}`)
  return value
}

const describe = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value)

export const domainOf = (value: unknown): string => accept('domain', parseDomain(text('domain', value)))
export const commandIdOf = (value: unknown, field = 'commandId'): string =>
  accept(field, parseCommandId(text(field, value)))
export const commandTypeOf = (value: unknown): string =>
  accept('commandType', parseCommandType(text('commandType', value)))
export const queueOf = (value: unknown, field = 'replyTo'): string => accept(field, parseQueueName(text(field, value)))
/** A valid name for a reply queue. @throws InvalidInputError, ReplyQueueRefusedError */
export const replyQueueOf = (value: unknown, field = 'replyTo'): string => {
  const queue = queueOf(value, field)
  if (domainOfQueue(queue) !== null) throw new ReplyQueueRefusedError(queue, 'is for commands, not for replies', field)
  return queue
}
export const correlationIdOf = (value: unknown): string =>
  accept('correlationId', parseCorrelationId(text('correlationId', value)))
export const jsonOf = (value: unknown, field = 'data'): Json => sizedJsonOf(value, field).json

/** As `jsonOf`, with the size for statements. */
export const sizedJsonOf = (value: unknown, field = 'data'): SizedJson =>
  accept(field, parseSizedJson(value, { root: field.replace(/^-+/, '') }))

/** A non-blank text of at most `max` characters that PostgreSQL can store. */
export const textOf = (value: unknown, field: string, max = 1000): string => {
  const given = text(field, value)
  if (given.trim() === '') throw new InvalidInputError(field, 'must not be blank')
  if (given.length > max) throw new InvalidInputError(field, `must have at most ${max} characters`)
  if (given.includes('\u0000') || !given.isWellFormed())
    throw new InvalidInputError(field, 'contains a NUL character or half a surrogate pair, which cannot be stored')
  return given
}

export const optional = <A>(value: unknown, parse: (given: unknown) => A): A | null =>
  value === undefined || value === null ? null : parse(value)

/** Without the members that are undefined. */
export const defined = <Members extends object>(members: Members) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    readonly [Name in keyof Members]?: Exclude<Members[Name], undefined>
  }

/** Which page of a list is asked for. */
export const pagingOf = ({ limit, cursor }: { readonly limit?: number; readonly cursor?: string }) => ({
  ...(limit === undefined ? {} : { limit: limitOf(limit) }),
  ...(cursor === undefined ? {} : { cursor: textOf(cursor, 'cursor', 500) }),
})

export const statusOf = (value: unknown): CommandStatus => oneOf(commandStatuses, value, 'status')

export const auditTypeOf = (value: unknown): string => accept('eventType', parseAuditType(text('eventType', value)))

const printed = (value: unknown): string =>
  typeof value === 'string' ? value.slice(0, 80) : typeof value === 'number' ? String(value) : describe(value)

export const MAX_LIMIT = 500

export const limitOf = (value: unknown): number => wholeOf(value, 'limit', 1, MAX_LIMIT)

export const wholeOf = (value: unknown, field: string, min: number, max?: number): number => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || (max !== undefined && value > max)) {
    const range = max === undefined ? `${min} on` : `${min} to ${max}`
    throw new InvalidInputError(field, `must be a whole number from ${range}, not ${printed(value)}`)
  }
  return value
}

export const booleanOf = (value: unknown, field: string): boolean => {
  if (typeof value !== 'boolean') throw new InvalidInputError(field, `must be true or false, not ${printed(value)}`)
  return value
}

/** One of the `known` names. */
export const oneOf = <A extends string>(known: readonly A[], value: unknown, field: string): A => {
  const found = known.find(one => one === value)
  if (found === undefined)
    throw new InvalidInputError(field, `must be one of ${known.join(', ')}, not ${printed(value)}`)
  return found
}

const ISO_8601 = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/

/** An ISO 8601 date or instant of the years 1 to 9999, as an instant in UTC, which is also the default zone. */
export const instantOf = (value: unknown, field: string): string => {
  const given = value instanceof Date ? value : parseInstant(text(field, value))
  const year = given.getUTCFullYear()
  if (!(year >= 1 && year <= 9999)) throw new InvalidInputError(field, 'must be an ISO 8601 date or time')
  return given.toISOString()
}

const YEAR_MS = 366 * 24 * 3_600_000

/** An instant after `now`, by a year at the most. */
export const instantAhead = (value: unknown, field: string, now: Instant): Instant => {
  const given = instantOf(value, field)
  const ahead = Date.parse(given) - Date.parse(now)
  if (ahead > 0 && ahead <= YEAR_MS) return given
  throw new InvalidInputError(field, `must be a time in the future, at most a year from now, not ${given}`)
}

const parseInstant = (given: string): Date => {
  const [, day, time, , , zone] = ISO_8601.exec(given) ?? []
  const exists = day !== undefined && new Date(Date.parse(day)).getUTCDate() === Number(day.slice(8))
  return new Date(exists ? `${given}${time !== undefined && zone === undefined ? 'Z' : ''}` : Number.NaN)
}
