import type { Scope } from '../authorization.ts'
import type { Page } from './command-queries.ts'

/** A reply that could not be put on its queue. Times are ISO 8601. */
export interface UndeliveredReply {
  readonly replyId: string
  readonly domain: string
  readonly commandId: string
  readonly tenantId: string | null
  /** Where it was to go. */
  readonly queue: string
  /** Why it could not be delivered the last time. */
  readonly reason: string
  readonly since: string
  /** Attempts to deliver it, the first one included. */
  readonly tries: number
  /** When, by whom and to which queue it was delivered after all; null: it is still kept. */
  readonly deliveredAt: string | null
  readonly deliveredBy: string | null
  readonly deliveredTo: string | null
}

export interface UndeliveredChoice extends Scope {
  readonly domain?: string
  readonly commandId?: string
  readonly queue?: string
  /** 1-500. Default 100. */
  readonly limit?: number
}

export interface UndeliveredFilter extends UndeliveredChoice {
  /** True: those that were delivered later. Default false: those that are still kept. */
  readonly delivered?: boolean
  readonly cursor?: string
}

export interface TriedReply {
  readonly replyId: string
  readonly domain: string
  readonly commandId: string
  readonly queue: string
  /** Null: delivered. */
  readonly reason: string | null
}

export interface UndeliveredStore {
  /** Newest first. */
  readonly list: (filter: UndeliveredFilter) => Promise<Page<UndeliveredReply>>
  /** Delivers those that are chosen and still kept, those tried least first; to `to` where it is given. */
  readonly deliver: (
    choice: UndeliveredChoice & { readonly replyIds?: readonly string[]; readonly to?: string; readonly actor: string },
  ) => Promise<readonly TriedReply[]>
}
