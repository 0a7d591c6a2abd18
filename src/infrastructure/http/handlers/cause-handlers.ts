import type { causeRoutes } from '../../../contract/operators/causes.ts'
import type { Handlers } from '../requests/mount.ts'

export const causeHandlers: Pick<Handlers, keyof typeof causeRoutes> = {
  listCauses: async ({ query }, caller) => ({ items: await caller.causes.list(query) }),
  noteCause: ({ body }, caller) => caller.causes.note(body),
  assignCause: ({ body }, caller) => caller.causes.assign(body),
  tagCause: ({ body }, caller) => caller.causes.tag(body),
  investigateCause: ({ body }, caller) => caller.causes.investigate(body),
}
