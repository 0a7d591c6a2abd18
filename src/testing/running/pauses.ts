import type { PauseQueries } from '../../application/ports/reading/flow-queries.ts'
import type { OnLook, PauseWatch } from '../../infrastructure/postgres/flow/pause-watch.ts'
import type { Queues } from '../memory/queues.ts'

/** Tells workers what is paused, whenever they look. */
export type Watch = Pick<PauseWatch, 'join' | 'leave' | 'lookNow'>

export const createWatch = (queries: PauseQueries, queues: Queues, names: () => readonly string[]): Watch => {
  const members = new Map<OnLook, string>()

  /** Messages whose pause has ended come back. */
  const release = (inForce: ReadonlySet<string>): void => {
    for (const message of names().flatMap(queues.messages)) {
      if (message.aside === null || inForce.has(message.aside)) continue
      message.aside = null
      message.visibleAt = message.enqueuedAt
    }
  }

  const lookNow = async (): Promise<void> => {
    const began = performance.now()
    const inForce = await queries.inForce({})
    release(new Set(inForce.map(({ pauseId }) => pauseId)))
    for (const [tell, domain] of members) {
      tell(
        inForce.filter(one => one.domain === domain),
        began,
      )
    }
  }

  return {
    join: async (domain, tell) => {
      members.set(tell, domain)
      await lookNow()
    },
    leave: tell => void members.delete(tell),
    lookNow,
  }
}
