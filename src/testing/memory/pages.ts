import { decodeCursor, pageOf } from '../../infrastructure/postgres/reading/cursor.ts'

interface Listed {
  readonly domain: string
  readonly commandId: string
}

const USUAL_LIMIT = 100

/** Newest first by a time, then by id and domain; the page after a cursor. @throws InvalidInputError for a wrong cursor */
export const newestFirst = <Row extends Listed>(
  rows: readonly Row[],
  timeOf: (row: Row) => string,
  { limit = USUAL_LIMIT, cursor }: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
) => {
  const placeOf = (at: string, { commandId, domain }: Listed): string => JSON.stringify([at, commandId, domain])
  const end = cursor === undefined ? null : decodeCursor(cursor)
  const from = end === null ? null : placeOf(end.at, end)
  const sorted = rows
    .map(row => ({ row, place: placeOf(timeOf(row), row) }))
    .filter(({ place }) => from === null || place < from)
    .sort((a, b) => (a.place < b.place ? 1 : -1))
    .map(({ row }) => row)
  return pageOf(sorted.slice(0, limit + 1), limit, timeOf)
}
