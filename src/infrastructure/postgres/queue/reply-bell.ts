import type { EventEmitter } from 'node:events'
import type { Client } from 'pg'
import type { Log } from '../../../application/ports/log.ts'
import { type DoorbellListener, listenForDoorbell } from './doorbell.ts'

/** Wakes those who wait for replies. One connection listens for all queues of a process, from the first wait on. */
export interface ReplyBell {
  /** Calls `wake` when the queue may have got replies, until the returned function is called. */
  readonly listen: (queue: string, wake: () => void) => () => void
  /** Whether notifications arrive; if not, who waits has to poll. */
  readonly rings: () => boolean
  readonly stop: () => Promise<void>
}

/** @param local emits the name of a queue that this process has filled */
export const createReplyBell = (connect: () => Client | null, local: EventEmitter, log: Log): ReplyBell => {
  const wakes = new Map<string, Set<() => void>>()
  let listener: DoorbellListener | null = null
  let stopped = false

  const ring = (queues: Iterable<string> = wakes.keys()): void => {
    for (const queue of queues) for (const wake of wakes.get(queue) ?? []) wake()
  }

  return {
    listen: (queue, wake) => {
      if (!stopped) listener ??= listenForDoorbell(connect, null, ring, log)
      const ofQueue = wakes.get(queue) ?? new Set()
      wakes.set(queue, ofQueue.add(wake))
      local.on(queue, wake)
      return () => {
        local.off(queue, wake)
        ofQueue.delete(wake)
        if (ofQueue.size === 0 && wakes.get(queue) === ofQueue) wakes.delete(queue)
      }
    },
    rings: () => listener?.connected() === true,
    stop: async () => {
      stopped = true
      await listener?.stop()
    },
  }
}
