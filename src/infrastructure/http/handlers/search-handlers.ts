import type { View } from '../../../application/ports/search/views.ts'
import type { searchRoutes } from '../../../contract/search/search.ts'
import type { viewRoutes } from '../../../contract/search/views.ts'
import type { Handlers } from '../requests/mount.ts'

export const searchHandlers: Pick<Handlers, keyof typeof searchRoutes | keyof typeof viewRoutes> = {
  listSearchable: async (_, caller) => ({ items: [...(await caller.search.declared())] }),
  declareSearchable: async ({ body }, caller) => ({ items: [...(await caller.search.declare(body))] }),
  dropSearchable: async ({ body }, caller) => ({ dropped: await caller.search.drop(body) }),
  listViews: async (_, caller) => ({ items: (await caller.views.list()).map(mutable) }),
  getView: async ({ params }, caller) => mutable(await caller.views.get(params.name)),
  setView: async ({ params, body }, caller) => mutable(await caller.views.set(params.name, body)),
  deleteView: async ({ params, query }, caller) => mutable(await caller.views.delete(params.name, query)),
}

const mutable = (view: View) => ({ ...view, filter: { ...view.filter } })
