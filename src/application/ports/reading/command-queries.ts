import type { CommandColumns, parkedColumns, viewColumns } from '../../../domain/command/columns.ts'
import type { ParkedFilter } from '../../../domain/command/parking.ts'
import type { CommandStatus } from '../../../domain/command/transitions.ts'
import type { Json } from '../../../domain/json/json.ts'
import type { PayloadCondition } from '../../../domain/json/payload-path.ts'
import type { OperationStatus } from '../../../domain/operation/status.ts'

/** Orders of lists of commands, by when they were sent, and of parked ones, by when they were parked or by their attempts. */
export const commandSorts = ['newest', 'oldest'] as const
export const parkedSorts = [...commandSorts, 'attempts'] as const
export type CommandSort = (typeof commandSorts)[number]
export type ParkedSort = (typeof parkedSorts)[number]

/** A command, from its read row. Times are ISO 8601. */
export interface CommandView extends Pick<CommandColumns, (typeof viewColumns)[number]> {
  /** In lists cut to the first 1,000 characters, followed by its length. */
  readonly lastErrorMsg: string | null
}

/** With the whole present payload and result. */
export interface CommandDetail extends CommandView {
  readonly data: Json
  readonly result: Json
  /** Only while it waits for its lane: its place there, 1 is next; at most 10,000. */
  readonly place?: number
  /** Beside `place`: the first command of its lane that runs or holds its place; null if that is of another tenant. */
  readonly waitsFor?: string | null
}

/**
 * An item of a list of one owner's commands. `data` has only `session_id` and `message_id`. A `result` of more than 4 KiB
 * is null, with its size and its beginning in the members beside it.
 */
export interface OwnedItem extends CommandDetail {
  readonly resultBytes?: number
  readonly resultPreview?: string
}

/** A page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[]
  /** Pass it as `cursor` to get the next page; null: this is the last page. */
  readonly nextCursor: string | null
}

/** Which commands `queryCommands` returns, how they are sorted, and how many of them. */
export interface CommandFilter {
  readonly domain?: string
  readonly status?: CommandStatus
  readonly commandType?: string
  readonly errorCode?: string
  readonly correlationId?: string
  /** Inclusive. */
  readonly createdAfter?: string
  /** Exclusive. */
  readonly createdBefore?: string
  /** Whether they wait for the time at which they are to run: PENDING, with `runAt` ahead. Without it: all. */
  readonly scheduled?: boolean
  /** Whether they wait for their next attempt after a failure. Without it: all. */
  readonly retrying?: boolean
  /** A value at a declared path of the payload: see `bus.search.declare`. */
  readonly payload?: PayloadCondition
  /** The beginning of the id: 8 to 36 characters. */
  readonly idPrefix?: string
  /** A part of the message of the last error; only with status FAILED or IN_TROUBLESHOOTING_QUEUE. */
  readonly message?: string
  /** Set by the application, from the caller's identity. */
  readonly tenantId?: string
  /** Default: newest first. */
  readonly sort?: CommandSort
  /** 1-500, default 100. */
  readonly limit?: number
  readonly cursor?: string
}

/** Which parked commands `troubleshooting.list` returns. */
export interface TroubleshootingFilter extends ParkedFilter {
  readonly tenantId?: string
  /** Default: newest first. `attempts`: most attempts first. */
  readonly sort?: ParkedSort
  readonly limit?: number
  readonly cursor?: string
  /** False: for readers of the items alone. Nothing is counted, and `total` is the number on this page. Default true. */
  readonly counted?: boolean
}

/** Which parked commands are counted by cause. */
export interface GroupFilter extends Omit<TroubleshootingFilter, 'sort' | 'limit' | 'cursor' | 'counted'> {
  /** False: groups by domain, type and error code alone. Default true. */
  readonly byFrame?: boolean
}

/** A parked command in a list, with its error and payload. */
export interface TroubleshootingItem extends Pick<CommandColumns, (typeof parkedColumns)[number]> {
  readonly parkedAt: string
  readonly parkedReason: string
  /** The original data, or an operator's edit of it. Null if it has more than 4 KiB: `getCommand` returns it whole. */
  readonly payload: Json
  /** Of a payload that was left out: the size of its JSON text, which may count a space after each comma and colon. */
  readonly payloadBytes?: number
  /** Of a payload that was left out: the beginning of its JSON text. */
  readonly payloadPreview?: string
}

/** Parked commands with the same cause, counted. */
export interface TroubleshootingGroup {
  readonly domain: string
  readonly commandType: string
  readonly errorCode: string
  /** Where in the user's own code it was thrown, as in `src/charge.ts:41 in charge`; null: not known, or not grouped by it. */
  readonly frame: string | null
  readonly count: number
  readonly first: string
  readonly last: string
  /** The newest error message of the group, at most 1,000 characters. */
  readonly sample: string | null
  /** What operators have written down about this cause; null: nothing, or the caller is of one tenant. */
  readonly care: CauseCare | null
}

/** What operators wrote about a cause: a note, an assignee, tags, an investigation. */
export interface CauseCare {
  readonly assignee: string | null
  readonly tags: readonly string[]
  /** How many notes the cause has; `lastNote` is the beginning of the newest, 300 characters. */
  readonly notes: number
  readonly lastNote: string | null
  readonly notedBy: string | null
  readonly notedAt: string | null
  /** Until then its commands are left out of counts and alerts; null: they count. */
  readonly investigatedUntil: string | null
  readonly investigatedBy: string | null
  readonly investigationReason: string | null
}

/** Which entries of the audit `getAuditTrail` returns. */
export interface AuditFilter {
  /** Only entries of this type; MOVED_TO_TSQ is short for MOVED_TO_TROUBLESHOOTING_QUEUE. */
  readonly eventType?: string
}

/** One line of the audit: what happened to a command, when, and who did it. */
export interface AuditEntry {
  readonly auditId: string
  readonly domain: string
  readonly commandId: string
  readonly eventType: string
  readonly ts: string
  readonly actor: string
  readonly revision: number
  /**
   * Keys in snake_case. A member of more than 4 KiB, such as `result` or `diff`, is null. Its size and its beginning
   * are in `result_bytes` and `result_preview`, and the history has it whole.
   */
  readonly details: Json
}

/** Commands of one owner; `progress` is the user's word for their status. */
export interface OwnedFilter {
  readonly ownerId: string
  readonly tenantId?: string
  readonly progress?: OperationStatus
  readonly limit?: number
  readonly cursor?: string
}

/** Reads from the read tables and the log, without folding events. */
export interface CommandQueries {
  readonly get: (domain: string, commandId: string) => Promise<CommandDetail | null>
  /** The commands with this id in all domains. */
  readonly find: (commandId: string) => Promise<readonly CommandDetail[]>
  readonly list: (filter: CommandFilter) => Promise<Page<CommandView>>
  /** The paths by which payloads can be searched. */
  readonly searchablePaths: () => Promise<readonly string[]>
  readonly listOwned: (domain: string, filter: OwnedFilter) => Promise<Page<OwnedItem>>
  readonly auditTrail: (domain: string, commandId: string, filter?: AuditFilter) => Promise<readonly AuditEntry[]>
  /** `total` is counted for the first page, and the same on those after it; with `q`, `assignee` or `tag` up to 10,000. */
  readonly parked: (filter: TroubleshootingFilter) => Promise<Page<TroubleshootingItem> & { readonly total: number }>
  readonly parkedGroups: (filter: GroupFilter) => Promise<readonly TroubleshootingGroup[]>
}
