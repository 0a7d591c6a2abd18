import type { CommandColumns } from '../../../domain/command/columns.ts'
import type { Scope } from '../authorization.ts'
import type { Page } from './command-queries.ts'

/** A sender that waits for its reply: an unfinished command with a reply queue. Times are ISO 8601. */
export interface OwedReply
  extends Pick<CommandColumns, 'domain' | 'commandId' | 'commandType' | 'status' | 'tenantId' | 'runAt'> {
  /** The queue where the reply will be. */
  readonly replyTo: string
  /** When the command was sent: since then the sender waits. */
  readonly since: string
  /** Whether it waits longer than `lateAfterSeconds`, counted from `runAt` if the command was not to run at once. */
  readonly late: boolean
}

/** Which owed replies `replies.owed` returns. */
export interface OwedFilter extends Scope {
  readonly domain?: string
  /** Only those for this queue. */
  readonly queue?: string
  /** True: only late ones; false: only others. */
  readonly late?: boolean
  /** After how many seconds a reply counts as late: 1-31,536,000. Default: the bus's `lateAfterSeconds`. */
  readonly lateAfterSeconds?: number
  /** 1-500, default 100. */
  readonly limit?: number
  readonly cursor?: string
}

/** A page of replies that senders wait for. */
export interface OwedReplies extends Page<OwedReply> {
  /** How many there are on all pages. */
  readonly total: number
  /** How many of them are late. */
  readonly late: number
  /** When the first of them was sent; null: there are none. */
  readonly oldest: string | null
  readonly lateAfterSeconds: number
}

export interface OwedQueries {
  /** Oldest first. */
  readonly list: (filter: OwedFilter & { readonly lateAfterSeconds: number }) => Promise<OwedReplies>
}
