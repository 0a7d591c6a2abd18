import type { FeedPosition } from '../../application/ports/event-feed.ts'
import type { LiveEvent, LiveFilter } from '../../application/ports/reading/live-events.ts'
import { isWithin } from '../../application/shared/scope.ts'

export interface LivePage {
  readonly events: readonly LiveEvent[]
  /** Everything up to here has been looked at. */
  readonly reached: FeedPosition
  /** There may be more at once. */
  readonly more: boolean
}

/** The log as the live reader needs it. Positions here are never null: `beginning` stands before the first event. */
export interface LiveSource {
  readonly beginning: FeedPosition
  readonly read: (after: FeedPosition, limit: number) => Promise<LivePage>
  /** The newest position that can be read now. */
  readonly head: () => Promise<FeedPosition>
  /** The position as this log writes it; null for a text that is none. */
  readonly parse: (text: string) => FeedPosition | null
  /** Whether an event of this very log has the position, or had it before it was moved to a file; true of `beginning`. */
  readonly has: (position: FeedPosition) => Promise<boolean>
  /** Less than 0: `a` comes first. */
  readonly compare: (a: FeedPosition, b: FeedPosition) => number
}

export const matches = ({ domain, commandId, run, ...scope }: LiveFilter, event: LiveEvent): boolean =>
  (domain === undefined || event.domain === domain) &&
  (commandId === undefined || event.commandId === commandId) &&
  (run === undefined || event.run === run) &&
  isWithin(scope, event.tenantId)
