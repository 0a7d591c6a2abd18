import type { FeedPosition } from '../../application/ports/event-feed.ts'
import type { Log } from '../../application/ports/log.ts'
import { createBackOff } from '../shared/back-off.ts'
import { createWakeUp } from '../shared/wake-up.ts'
import type { LiveSource } from './live-event.ts'
import type { Member } from './member.ts'

/** Calls `wake` when something may have been written, until it is stopped. */
export type Listen = (wake: () => void) => { readonly stop: () => Promise<void> }

export interface ReaderOptions {
  readonly source: LiveSource
  readonly listen: Listen
  readonly pollMs: number
  readonly pageSize: number
  readonly log: Log
}

/** The first pause after an event, as events often follow each other; later pauses are longer. */
const SOON_MS = 20

/** The one reader of the log for all members. It runs while there are any. */
export interface Reader {
  /**
   * Adds a member that has read up to `from`. False: the reader is ahead already, and the member must first read on by
   * itself.
   */
  readonly join: (member: Member, from: FeedPosition) => boolean
  readonly leave: (member: Member) => void
  readonly members: () => number
  readonly running: () => boolean
  /** Resolves when it has stopped completely. */
  readonly idle: () => Promise<void>
}

interface Round {
  position: FeedPosition
  readonly members: Set<Member>
  readonly end: () => void
}

export const createReader = (options: ReaderOptions): Reader => {
  const { source, listen, pollMs, pageSize, log } = options
  const ending = new Set<Promise<void>>()
  let round: Round | null = null

  const follow = async (mine: Round, wait: (ms: number) => Promise<void>, ended: () => boolean): Promise<void> => {
    const backOff = createBackOff()
    let pause = SOON_MS
    while (!ended()) {
      try {
        const page = await source.read(mine.position, pageSize)
        backOff.reset()
        mine.position = page.reached
        for (const member of mine.members) {
          for (const event of page.events) member.offer(event)
          member.passed(page.reached)
        }
        if (page.more) continue
        pause = page.events.length > 0 ? SOON_MS : Math.min(pause * 2, pollMs)
        await wait(pause)
      } catch (error) {
        log.warn({ err: error }, 'live events cannot be read; trying again')
        await wait(backOff.next())
      }
    }
  }

  const begin = (position: FeedPosition): Round => {
    const bell = createWakeUp()
    let ended = false
    const mine: Round = {
      position,
      members: new Set(),
      end: () => {
        ended = true
        bell.wake()
      },
    }
    const listener = listen(bell.wake)
    const running = follow(mine, bell.wait, () => ended).then(() => listener.stop())
    ending.add(running)
    void running.finally(() => ending.delete(running))
    return mine
  }

  return {
    join: (member, from) => {
      if (round !== null && source.compare(from, round.position) < 0) return false
      round ??= begin(from)
      round.members.add(member)
      return true
    },
    leave: member => {
      if (!round?.members.delete(member) || round.members.size > 0) return
      round.end()
      round = null
    },
    members: () => round?.members.size ?? 0,
    running: () => round !== null || ending.size > 0,
    idle: async () => {
      await Promise.all(ending)
    },
  }
}
