import type { Lane } from '../../../application/ports/reading/lane-queries.ts'
import type { laneRoutes } from '../../../contract/flow/lanes.ts'
import type { Handlers } from '../requests/mount.ts'

export const laneHandlers: Pick<Handlers, keyof typeof laneRoutes> = {
  listLanes: async ({ query }, caller) => {
    const { items, nextCursor } = await caller.lanes.list(query)
    return { items: items.map(mutable), nextCursor }
  },
  getLane: async ({ params }, caller) => mutable(await caller.lanes.get(params.domain, params.lane)),
  setLane: async ({ params, body }, caller) => mutable(await caller.lanes.set(params.domain, params.lane, body)),
  listLimits: async ({ params }, caller) => ({ items: [...(await caller.limits.list(params))] }),
  getLimit: ({ params }, caller) => caller.limits.get(params.domain, params.name),
  setLimit: ({ params, body }, caller) => caller.limits.set(params.domain, params.name, body),
  deleteLimit: ({ params }, caller) => caller.limits.delete(params.domain, params.name),
}

const mutable = (lane: Lane): Lane & { running: string[] } => ({ ...lane, running: [...lane.running] })
