import type { alertRoutes } from '../../../contract/operators/alerts.ts'
import type { Handlers } from '../requests/mount.ts'

export const alertHandlers: Pick<Handlers, keyof typeof alertRoutes> = {
  listAlerts: async (_, caller) => ({ items: await caller.alerts.list() }),
  getAlert: ({ params }, caller) => caller.alerts.get(params.name),
  setAlert: ({ params, body }, caller) => caller.alerts.set(params.name, body),
  deleteAlert: ({ params }, caller) => caller.alerts.delete(params.name),
  testAlert: ({ params }, caller) => caller.alerts.test(params.name),
  listSentAlerts: async ({ params, query }, caller) => {
    const { items, nextCursor } = await caller.alerts.sent(params.name, query)
    return { items: [...items], nextCursor }
  },
}
