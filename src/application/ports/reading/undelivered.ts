import type { Scope } from '../authorization.ts'
import type { Page } from './command-queries.ts'

/** A reply that could not be put on its queue. Times are ISO 8601. */
export interface UndeliveredReply {
  readonly replyId: string
  readonly domain: string
  readonly commandId: string
  readonly tenantId: string | null
  /** The queue that it was for. */
  readonly queue: string
  /** Why it could not be delivered the last time. */
  readonly reason: string
  readonly since: string
  /** Attempts to deliver it, including the first. */
  readonly tries: number
  /** When, by whom and to which queue it was delivered later; null: it is still undelivered. */
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

/** Which undelivered replies `replies.undelivered` returns. */
export interface UndeliveredFilter extends UndeliveredChoice {
  /** True: those that were delivered later. Default false: those that are still undelivered. */
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
  /** Delivers the chosen replies that are still undelivered, those with the fewest tries first; to `to` if it is given. */
  readonly deliver: (
    choice: UndeliveredChoice & { readonly replyIds?: readonly string[]; readonly to?: string; readonly actor: string },
  ) => Promise<readonly TriedReply[]>
}
