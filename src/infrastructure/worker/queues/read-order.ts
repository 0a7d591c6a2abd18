import { type Priority, priorities } from '../../../domain/flow/priority.ts'

/** So many reads make a cycle. */
export const CYCLE = 16
/** Of each cycle, so many reads begin with the queue of normal commands, and with that of low ones; the others begin with high. */
const NORMAL_FIRST: ReadonlySet<number> = new Set([3, 6, 9, 12])
const LOW_FIRST: ReadonlySet<number> = new Set([15])

/**
 * In which order a read goes through the queues of a domain: a queue that comes later is read only if those before it have
 * fewer messages than wanted. So the first one decides, and each comes first once in a cycle at the least, however many
 * messages the others have.
 */
export const readOrder = (read: number): readonly Priority[] => {
  const place = read % CYCLE
  const first = LOW_FIRST.has(place) ? 'low' : NORMAL_FIRST.has(place) ? 'normal' : 'high'
  return [first, ...priorities.filter(priority => priority !== first)]
}
