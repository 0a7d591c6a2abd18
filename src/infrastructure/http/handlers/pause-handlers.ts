import type { pauseRoutes } from '../../../contract/flow/pauses.ts'
import type { Handlers } from '../requests/mount.ts'

export const pauseHandlers: Pick<Handlers, keyof typeof pauseRoutes> = {
  pause: ({ body }, caller) => caller.pause(body),
  listPauses: async ({ query }, caller) => ({ items: [...(await caller.pauses(query))] }),
  resume: ({ params }, caller) => caller.resume(params.id),
}
