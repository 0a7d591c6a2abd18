import type { workerRoutes } from '../../../contract/watching/workers.ts'
import type { Handlers } from '../requests/mount.ts'

export const workerHandlers: Pick<Handlers, keyof typeof workerRoutes> = {
  listWorkers: async ({ query }, caller) => ({ items: await caller.workers.list(query) }),
  listMissingWorkers: async ({ query }, caller) => ({ items: await caller.workers.missing(query) }),
}
