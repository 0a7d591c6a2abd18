import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Route } from '../../../contract/route.ts'
import { itemColumns } from '../../../contract/search/item-columns.ts'
import { csvOf } from '../../../domain/json/csv.ts'

/** Whether the request accepts CSV. */
export const wantsCsv = ({ headers: { accept = '' } }: FastifyRequest): boolean =>
  accept.split(',').some(type => type.split(';')[0]?.trim().toLowerCase() === 'text/csv')

interface List {
  readonly items: readonly unknown[]
  readonly nextCursor?: string | null
}

/** The answer of a list as CSV, if the request accepts that; null: it is answered as JSON. The next page is in the header `link`. */
export const csvAnswer = (
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: unknown,
): string | null => {
  const columns = itemColumns(route)
  if (columns === null) return null
  reply.header('vary', 'accept')
  if (!wantsCsv(request)) return null
  const { items, nextCursor = null } = answer as Partial<List>
  if (items === undefined) return null
  if (nextCursor !== null) {
    const [path = '', query] = request.url.split('?')
    const next = new URLSearchParams(query)
    next.set('cursor', nextCursor)
    reply.header('link', `<${path}?${next}>; rel="next"`)
  }
  reply.type('text/csv; charset=utf-8; header=present')
  return csvOf(items, columns)
}
