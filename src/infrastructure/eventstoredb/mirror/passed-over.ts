import type { Log } from '../../../application/ports/log.ts'

/** What somebody else has written into a stream that is named like one of ours. */
interface Foreign {
  readonly streamId: string
  readonly type: string
}

const WARN_EVERY_MS = 60_000

/** Counts the events of others that were passed over. One warning a minute says how many there were, and names one. */
export const createPassedOver = (log: Log, now: () => number = () => performance.now()) => {
  let count = 0
  let unsaid = 0
  let saidAt = Number.NEGATIVE_INFINITY

  return {
    count: (): number => count,
    note: (records: readonly Foreign[]): void => {
      count += records.length
      unsaid += records.length
      const [first] = records
      if (first === undefined || now() - saidAt < WARN_EVERY_MS) return
      log.warn(
        { events: unsaid, stream: first.streamId, type: first.type },
        'events of others are passed over: their streams are named like those of this log; EVENTSTORE_PREFIX keeps them apart',
      )
      unsaid = 0
      saidAt = now()
    },
  }
}
