import { getHeapStatistics } from 'node:v8'
import type { Delivery } from '../../application/ports/queue.ts'

/** A message takes several times its size: its text, its command's events, and its outcome. */
const SHARE_OF_HEAP = 16
/** The largest payload; the expected size before the first message. */
const LARGEST = 1024 * 1024

type Sized = Pick<Delivery, 'size'>

/**
 * How many more messages fit into a worker's memory, by the size of recent ones. It holds those it works on, those it has read
 * ahead, and those whose outcome is being recorded. One is always read, whatever its size.
 */
export const createRoom = (most: number = getHeapStatistics().heap_size_limit / SHARE_OF_HEAP) => {
  let held = 0
  let expected = LARGEST
  return {
    /** Called with every batch read. The expected size grows at once and shrinks step by step. */
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
