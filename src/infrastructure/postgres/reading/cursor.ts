import { InvalidInputError } from '../../../application/shared/errors.ts'
import { isUuid } from '../../../domain/uuid.ts'

/** Where a page ended: the time by which the list is ordered, and the columns that break ties. */
export interface Cursor {
  readonly at: string
  readonly domain: string
  readonly commandId: string
}

export const encodeCursor = (cursor: Cursor): string =>
  Buffer.from(JSON.stringify([cursor.at, cursor.domain, cursor.commandId])).toString('base64url')

export const invalidCursor = (): InvalidInputError =>
  new InvalidInputError('cursor', 'not a valid cursor: pass nextCursor unchanged, or leave it out')

/** @throws InvalidInputError for a text that is not a valid cursor */
export const decodeCursor = (text: string): Cursor => {
  const parts = parse(text)
  if (Array.isArray(parts) && parts.length === 3 && parts.every(part => typeof part === 'string')) {
    const [at, domain, commandId] = parts as [string, string, string]
    if (!Number.isNaN(Date.parse(at)) && isUuid(commandId) && domain.length < 64 && !domain.includes('\u0000')) {
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
  timeOf: (row: Row) => string,
) => {
  const items = rows.slice(0, limit)
  const last = rows.length > limit ? items.at(-1) : undefined
  return { items, nextCursor: last === undefined ? null : encodeCursor({ ...last, at: timeOf(last) }) }
}
