import * as t from 'io-ts'
import { viewedLists } from '../../application/ports/search/views.ts'
import { instant, object, trueOrFalse, wordOf } from '../codecs.ts'
import { none } from '../commands.ts'
import { route } from '../route.ts'

const view = t.type({
  name: t.string,
  list: wordOf(viewedLists),
  filter: t.record(t.string, t.string),
  shared: t.boolean,
  updatedBy: t.string,
  updatedAt: instant,
})

const one = { path: '/views/:name', tag: 'Views', permission: 'read', params: object({ name: t.string }) } as const

export const viewRoutes = {
  listViews: route({
    method: 'GET',
    path: '/views',
    summary: "Named filters of lists: the caller's own and those that are shared in the tenant, by name",
    tag: 'Views',
    permission: 'read',
    params: none,
    query: none,
    body: null,
    success: { status: 200, body: t.type({ items: t.array(view) }) },
    problems: [],
  }),
  getView: route({
    ...one,
    method: 'GET',
    summary: "The caller's own view of this name, or else the shared one",
    query: none,
    body: null,
    success: { status: 200, body: view },
    problems: ['NOT_FOUND'],
  }),
  setView: route({
    ...one,
    method: 'PUT',
    summary:
      'Keeps a filter under a name. With `shared` everybody of the tenant sees it, which needs the role OPERATOR or ADMIN. Times of a filter may be relative: `-1h` is an hour ago',
    query: none,
    body: object({ list: wordOf(viewedLists), filter: t.record(t.string, t.string) }, { shared: t.boolean }),
    success: { status: 200, body: view },
    problems: [],
  }),
  deleteView: route({
    ...one,
    method: 'DELETE',
    summary: "Deletes the caller's own view of this name, or with `shared=true` the shared one",
    query: object({}, { shared: trueOrFalse }),
    body: null,
    success: { status: 200, body: view },
    problems: ['NOT_FOUND'],
  }),
}
