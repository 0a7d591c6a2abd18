import * as t from 'io-ts'
import { instant, listOf, nullable, object } from '../codecs.ts'
import { none } from '../commands.ts'
import { route } from '../route.ts'

const MOST_PATHS = 20

const searchable = t.type({
  domain: nullable(t.string),
  commandType: t.string,
  path: t.string,
  declaredBy: t.string,
  declaredAt: instant,
  filledAt: nullable(instant),
})
const list = t.type({ items: t.array(searchable) })
const tag = 'Search'

export const searchRoutes = {
  listSearchable: route({
    method: 'GET',
    path: '/search/paths',
    summary:
      'The members of payloads by which commands can be found: `GET /commands?payload=orderId:ORD-30021`. `filledAt` is null until commands that were sent before can be found, too',
    tag,
    permission: 'read',
    params: none,
    query: none,
    body: null,
    success: { status: 200, body: list },
    problems: [],
  }),
  declareSearchable: route({
    method: 'POST',
    path: '/search/paths',
    summary:
      'Makes commands of a type searchable by members of their payload, such as `orderId` or `customer.id`: texts, numbers and booleans, by their first 200 characters. Only for tokens without a tenant. Commands that are there already follow in the background',
    tag,
    permission: 'operate',
    params: none,
    query: none,
    body: object({ commandType: t.string, paths: listOf(t.string, 1, MOST_PATHS) }, { domain: t.string }),
    success: { status: 202, body: list },
    problems: [],
  }),
  dropSearchable: route({
    method: 'POST',
    path: '/search/paths/drop',
    summary: 'Ends a declaration; `dropped` is false if there was none. Only for tokens without a tenant',
    tag,
    permission: 'operate',
    params: none,
    query: none,
    body: object({ commandType: t.string, path: t.string }, { domain: t.string }),
    success: { status: 200, body: t.type({ dropped: t.boolean }) },
    problems: [],
  }),
}
