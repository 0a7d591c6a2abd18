import type { Schedule } from '../../../application/flow/schedules.ts'
import type { scheduleRoutes } from '../../../contract/flow/schedules.ts'
import type { Handlers } from '../requests/mount.ts'

export const scheduleHandlers: Pick<Handlers, keyof typeof scheduleRoutes> = {
  listSchedules: async ({ query }, caller) => {
    const { items, nextCursor } = await caller.schedules.list(query)
    return { items: items.map(mutable), nextCursor }
  },
  getSchedule: async ({ params }, caller) => mutable(await caller.schedules.get(params.name)),
  setSchedule: async ({ params, body }, caller) => mutable(await caller.schedules.set(params.name, body)),
  deleteSchedule: ({ params }, caller) => caller.schedules.delete(params.name),
  pauseSchedule: async ({ params, body }, caller) => mutable(await caller.schedules.pause(params.name, body.reason)),
  resumeSchedule: async ({ params }, caller) => mutable(await caller.schedules.resume(params.name)),
  runSchedule: ({ params }, caller) => caller.schedules.run(params.name),
}

const mutable = <S extends Schedule>(schedule: S): S & { next: string[] } => ({
  ...schedule,
  next: [...schedule.next],
})
