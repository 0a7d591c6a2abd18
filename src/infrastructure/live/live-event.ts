import type { FeedPosition } from '../../application/ports/event-feed.ts'
import type { CommandStatus } from '../../domain/command/transitions.ts'

/** An event of a command's life as people follow it: who, what, when, never the payload. Times are ISO 8601. */
export interface LiveEvent {
  /** Where to resume after this event. */
  readonly position: FeedPosition
  readonly stream: string
  readonly revision: number
  readonly type: string
  readonly domain: string
  readonly commandId: string
  readonly commandType: string
  /** The command's status after the event. */
  readonly status: CommandStatus
  readonly at: string
  readonly actor: string
  readonly correlationId: string
  readonly tenantId: string | null
  readonly recordedAt: string
}

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
  /** Less than 0: `a` comes first. */
  readonly compare: (a: FeedPosition, b: FeedPosition) => number
}

/** Which events a reader wants; what is left out does not matter. */
export interface LiveFilter {
  readonly domain?: string
  readonly commandId?: string
  /** Set by the application, from the reader's identity. */
  readonly tenantId?: string
}

export const matches = ({ domain, commandId, tenantId }: LiveFilter, event: LiveEvent): boolean =>
  (domain === undefined || event.domain === domain) &&
  (commandId === undefined || event.commandId === commandId) &&
  (tenantId === undefined || event.tenantId === tenantId)
