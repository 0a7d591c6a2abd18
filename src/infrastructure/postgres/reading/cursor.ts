import { InvalidInputError } from '../../../application/shared/errors.ts'
import { isUuid } from '../../../domain/uuid.ts'

/** Where a page ended: the time by which the list is ordered, and the columns that break ties. */
export interface Cursor {
  /** The time, or the number by which the list is ordered, as text. */
  readonly at: string
  readonly domain: string
  readonly commandId: string
}

/** `sort`: the order of the list, if that is not the usual one. A cursor holds in its own order only. */
export const encodeCursor = ({ at, domain, commandId }: Cursor, sort?: string): string =>
  Buffer.from(JSON.stringify([at, domain, commandId, ...(sort === undefined ? [] : [sort])])).toString('base64url')

export const invalidCursor = (): InvalidInputError =>
  new InvalidInputError('cursor', 'not a valid cursor: pass nextCursor unchanged, or leave it out')

/** @throws InvalidInputError for a text that is not a valid cursor */
export const decodeCursor = (text: string, sort?: string): Cursor => {
  const parts = parse(text)
  const length = sort === undefined ? 3 : 4
  if (Array.isArray(parts) && parts.length === length && parts.every(part => typeof part === 'string')) {
    const [at, domain, commandId, sorted] = parts as [string, string, string, string?]
    const isKey = sort === 'attempts' ? /^\d{1,9}$/.test(at) : !Number.isNaN(Date.parse(at))
    if (sorted === sort && isKey && isUuid(commandId) && domain.length < 64 && !domain.includes('\u0000')) {
      return { at, domain, commandId }
    }
  }
  throw invalidCursor()
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return null
  }
}

export const DEFAULT_LIMIT = 100

/** The first `limit` of these rows, and where the next page begins if there are more. */
export const pageOf = <Row extends { readonly domain: string; readonly commandId: string }>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => string,
  sort?: string,
) => {
  const items = rows.slice(0, limit)
  const last = rows.length > limit ? items.at(-1) : undefined
  return { items, nextCursor: last === undefined ? null : encodeCursor({ ...last, at: keyOf(last) }, sort) }
}
