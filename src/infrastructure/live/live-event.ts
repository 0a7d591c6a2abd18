import type { FeedPosition } from '../../application/ports/event-feed.ts'
import type { LiveEvent, LiveFilter } from '../../application/ports/reading/live-events.ts'
import { isWithin } from '../../application/shared/scope.ts'

export interface LivePage {
  readonly events: readonly LiveEvent[]
  /** Everything up to here has been read. */
  readonly reached: FeedPosition
  /** There may be more at once. */
  readonly more: boolean
}

/** The log for the live reader. Positions are never null: `beginning` is the one before the first event. */
export interface LiveSource {
  readonly beginning: FeedPosition
  readonly read: (after: FeedPosition, limit: number) => Promise<LivePage>
  /** The newest position that can be read now. */
  readonly head: () => Promise<FeedPosition>
  /** The position in this log's form; null: the text is not a position. */
  readonly parse: (text: string) => FeedPosition | null
  /** Whether an event of this log, archived or not, has the position; true for `beginning`. */
  readonly has: (position: FeedPosition) => Promise<boolean>
  /** Less than 0: `a` comes first. */
  readonly compare: (a: FeedPosition, b: FeedPosition) => number
}

export const matches = ({ domain, commandId, run, ...scope }: LiveFilter, event: LiveEvent): boolean =>
  (domain === undefined || event.domain === domain) &&
  (commandId === undefined || event.commandId === commandId) &&
  (run === undefined || event.run === run) &&
  isWithin(scope, event.tenantId)
