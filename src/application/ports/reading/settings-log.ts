import type { BusEvent } from '../../../domain/bus-event.ts'
import type { Recorded } from '../../../domain/recorded.ts'

/** Reads the log of settings of one kind, whose streams begin with the same prefix. */
export interface SettingsLog {
  /** Their events up to an instant (ISO 8601), stream by stream, each in its order. */
  readonly until: (prefix: string, at: string) => Promise<readonly Recorded<BusEvent>[]>
}
