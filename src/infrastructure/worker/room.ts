import { getHeapStatistics } from 'node:v8'
import type { Delivery } from '../../application/ports/queue.ts'

/** A message takes several times its text: itself, its command's events, and the outcome on its way. */
const SHARE_OF_HEAP = 16
/** Of the payload of a command; what is expected of messages that nobody has seen. */
const LARGEST = 1024 * 1024

type Sized = Pick<Delivery, 'size'>

/**
 * How many messages of the size they had lately fit into what a worker may hold: those it works on, those it has read ahead,
 * and those whose outcome is on its way. One is always read, whatever its size.
 */
export const createRoom = (most: number = getHeapStatistics().heap_size_limit / SHARE_OF_HEAP) => {
  let held = 0
  let expected = LARGEST
  return {
    /** Called with every batch read: a larger size is believed at once, a smaller one by and by. */
    saw: (batch: readonly Sized[]): void => {
      if (batch.length === 0) return
      const average = batch.reduce((sum, { size }) => sum + size, 0) / batch.length
      expected = Math.max(1, average, expected / 2)
    },
    take: ({ size }: Sized): void => {
      held += size
    },
    give: ({ size }: Sized): void => {
      held -= size
    },
    fitting: (): number => Math.max(held === 0 ? 1 : 0, Math.floor((most - held) / expected)),
  }
}
