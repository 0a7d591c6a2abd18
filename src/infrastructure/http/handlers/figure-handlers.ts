import type { figureRoutes } from '../../../contract/watching/figures.ts'
import type { Handlers } from '../requests/mount.ts'

export const figureHandlers: Pick<Handlers, keyof typeof figureRoutes> = {
  listTypes: async ({ query }, caller) => {
    const { items, series, ...page } = await caller.figures.types(query)
    return { ...page, series: [...series], items: items.map(item => ({ ...item, errors: [...item.errors] })) }
  },
  listQueues: async ({ query }, caller) => {
    const { items, series, ...page } = await caller.figures.queues(query)
    return { ...page, series: [...series], items: [...items] }
  },
  listFailures: async (_, caller) => {
    const { items, ...page } = await caller.figures.causes()
    return { ...page, items: items.map(item => ({ ...item, series: [...item.series] })) }
  },
  getStatus: async ({ query }, caller) => {
    const { problems, ...status } = await caller.figures.status(query)
    return { ...status, problems: [...problems] }
  },
}
