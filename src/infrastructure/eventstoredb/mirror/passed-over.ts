import type { Log } from '../../../application/ports/log.ts'

/** An event that another program wrote to a stream named like the bus's. */
interface Foreign {
  readonly streamId: string
  readonly type: string
}

const WARN_EVERY_MS = 60_000

/** Counts skipped events of others. One warning a minute has their number and names one. */
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
        'events of other programs are skipped: their streams are named like those of this log; set EVENTSTORE_PREFIX to tell them apart',
      )
      unsaid = 0
      saidAt = now()
    },
  }
}
