import type { strangerRoutes } from '../../../contract/flow/strangers.ts'
import type { Handlers } from '../requests/mount.ts'

export const strangerHandlers: Pick<Handlers, keyof typeof strangerRoutes> = {
  listStrangers: async ({ query }, caller) => {
    const { items, nextCursor } = await caller.strangers.list(query)
    return { items: [...items], nextCursor }
  },
  adoptStrangers: async ({ body }, caller) => {
    const { adopted, failed, nextCursor } = await caller.strangers.adopt(body)
    return { adopted: [...adopted], failed: [...failed], nextCursor }
  },
  dropStrangers: async ({ body }, caller) => caller.strangers.drop(body),
}
