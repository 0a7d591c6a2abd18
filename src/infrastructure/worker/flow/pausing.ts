import type { WorkItem } from '../../../application/commands/work-message.ts'
import type { Log } from '../../../application/ports/log.ts'
import { type Delivery, messageKey, type Queue } from '../../../application/ports/queue.ts'
import type { InForce, PauseWatch } from '../../postgres/flow/pause-watch.ts'

export interface PausingDeps {
  readonly watch: Pick<PauseWatch, 'join' | 'leave' | 'lookNow'>
  readonly domain: string
  readonly queue: Pick<Queue, 'handBack' | 'putAside'>
  /** The queue's name. */
  readonly name: string
  readonly log: Log
  /** Removes and returns the work items that have not begun, if they meet the condition. */
  readonly take: (is: (job: WorkItem) => boolean) => readonly WorkItem[]
  /** More may begin than before. */
  readonly onOpen: () => void
}

export interface PausingState {
  /** The whole domain is paused. */
  readonly all: boolean
  /** How many pauses are in force in it. */
  readonly some: number
  /** For how long pauses could not be read; 0: they can. */
  readonly staleMs: number
}

/** What is known of pauses is used for this long: a pause is obeyed within a second of its commit. */
const FRESH_MS = 700
const TRIES = 3
/** From then on it is a fault. */
const STALE_MS = 5_000

/** Keeps a worker from beginning what is paused. */
export const createPausing = ({ watch, domain, queue, name, log, take, onOpen }: PausingDeps) => {
  let pauses: readonly InForce[] = []
  /** Some pause is of the whole domain. */
  let all = false
  let lookedAt = Number.NEGATIVE_INFINITY
  let refused = false
  let startedAt = 0

  const isFresh = (): boolean => performance.now() - lookedAt < FRESH_MS

  /** The pause that keeps a command from beginning. */
  const pauseOf = ({ command: { sent } }: WorkItem): InForce | undefined =>
    pauses.find(
      ({ commandType, tenantId }) =>
        (commandType === null || commandType === sent.commandType) && (tenantId === null || tenantId === sent.tenantId),
    )

  const holds = (job: WorkItem): boolean => pauses.length > 0 && pauseOf(job) !== undefined

  /** Messages of a paused domain stay in their place, as nobody reads them; those of a type or a tenant are put aside. */
  const putAway = async (jobs: readonly WorkItem[]): Promise<void> => {
    if (jobs.length === 0) return
    const aside = new Map<string, string>()
    const [away, back]: [Delivery[], Delivery[]] = [[], []]
    for (const job of jobs) {
      const pause = all ? undefined : pauseOf(job)
      if (pause === undefined) back.push(job.delivery)
      else {
        aside.set(messageKey(job.delivery), pause.pauseId)
        away.push(job.delivery)
      }
    }
    await Promise.all([queue.handBack(name, back, { uncount: true }), queue.putAside(name, away, aside)])
  }

  const onLook = (found: readonly InForce[], began: number): void => {
    pauses = found
    all = found.some(({ commandType, tenantId }) => commandType === null && tenantId === null)
    lookedAt = began
    if (found.length > 0) {
      putAway(take(holds)).catch(error =>
        log.warn(
          { err: error, queue: name },
          'messages of a pause could not be given back; they come back after their lease',
        ),
      )
    }
    if (!refused || all || !isFresh()) return
    refused = false
    onOpen()
  }

  /** Whether something may be begun now; if not, `onOpen` is called when it may. */
  const mayBegin = (): boolean => {
    if (!all && isFresh()) return true
    refused = true
    return false
  }

  return {
    start: (): Promise<void> => {
      startedAt = performance.now()
      return watch.join(domain, onLook)
    },
    stop: (): void => watch.leave(onLook),
    mayBegin,
    /** For the worker's health. */
    state: (): PausingState => {
      const staleMs = performance.now() - Math.max(lookedAt, startedAt)
      return { all, some: pauses.length, staleMs: startedAt === 0 || staleMs < STALE_MS ? 0 : staleMs }
    },
    holds,
    putAway,
    /** The same for one that has waited since it was taken, with a look if it is time for one. */
    holdsAfterWait: async (job: WorkItem): Promise<boolean> => {
      for (let tries = 1; !isFresh() && tries <= TRIES; tries++) await watch.lookNow()
      return !isFresh() || holds(job)
    },
  }
}

export type Pausing = ReturnType<typeof createPausing>
