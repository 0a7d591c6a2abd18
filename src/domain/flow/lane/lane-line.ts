/**
 * `waiting`: not begun since it was sent or came back; `holding`: begun and not ended, or parked in a lane that waits for it;
 * `aside`: parked, and the lane goes on without it; `left`: ended.
 */
export interface Entry {
  readonly stream: string
  readonly transaction: string
  readonly msgId: number
  readonly queue: string
  readonly lane: Lane
  state: 'waiting' | 'holding' | 'aside' | 'left'
  isParked: boolean
  /** It has to begin before those sent after it. */
  isOrdered: boolean
}

export interface Lane {
  readonly key: string
  readonly domain: string
  readonly name: string
  readonly limits: Set<string | null>
  /** Commands that have not ended. */
  open: number
  readonly holding: Set<Entry>
  /** In the order of sending. Those that do not wait any more are removed later. */
  line: Entry[]
  first: number
  waiting: number
  /** No more than this many can have been let in. */
  most: number
}

/** Puts a command into the line: what one transaction sent to one queue stands in the order of its messages. */
export const joinLine = (lane: Lane, entry: Entry): void => {
  let at = lane.line.length
  while (at > lane.first && standsBehind(lane.line[at - 1], entry)) at--
  lane.line.splice(at, 0, entry)
}

const standsBehind = (one: Entry | undefined, entry: Entry): boolean =>
  one?.transaction === entry.transaction &&
  (one.queue === entry.queue ? one.msgId > entry.msgId : one.queue > entry.queue)

/** Of what one transaction sent to several queues, the order is not known. */
const isSentBefore = (one: Entry, entry: Entry): boolean =>
  one.transaction !== entry.transaction || (one.queue === entry.queue && one.msgId < entry.msgId)

/** Up to `most` commands that still wait and were sent before this one, the oldest first. */
export const waitingBefore = (entry: Entry, most: number): readonly Entry[] => {
  const { line, first } = entry.lane
  const before: Entry[] = []
  for (let index = first; index < line.length && before.length < most; index++) {
    const one = line[index]
    if (one === entry) break
    if (one?.isOrdered && one.state === 'waiting' && isSentBefore(one, entry)) before.push(one)
  }
  return before
}

/** Removes from the line those that do not wait any more: in front at once, others when they are the larger part. */
export const trim = (lane: Lane): void => {
  const waits = (entry: Entry | undefined): boolean => entry?.isOrdered === true && entry.state === 'waiting'
  while (lane.first < lane.line.length && !waits(lane.line[lane.first])) lane.first++
  if (lane.line.length > 2 * lane.waiting + 64) {
    lane.line = lane.line.filter(waits)
    lane.first = 0
  }
}
