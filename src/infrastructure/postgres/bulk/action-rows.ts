import type {
  ActionItem,
  ActionRecord,
  Became,
  BulkDetails,
  ItemOutcome,
} from '../../../application/ports/action-store.ts'
import { columnsOf, instant } from '../connection/instant.ts'

/** SQL: what an action's rate allows now, up to what it gives in a second, so that a late runner catches up a little. */
export const tokensOf = (action: string): string => {
  const rate = `coalesce((${action}.campaign->>'ratePerSecond')::float8, 0)`
  // a clock that was set back must not stop an action until it is there again
  const since = `abs(extract(epoch from clock_timestamp() - ${action}.tokens_at)::float8)`
  return `least(greatest(1, ${rate}), ${action}.tokens + ${rate} * ${since})`
}

/** The columns of `ActionRow`. */
export const actionColumns = `${columnsOf(
  'command_bus_action',
  [
    'id',
    'action',
    'criteria',
    'canary',
    'campaign',
    'exact',
    'details',
    'operator',
    'tenant_id',
    'status',
    'note',
    'stage',
    'total',
    'succeeded',
    'failed',
    'skipped',
    'done_to',
  ],
  ['created_at', 'updated_at', 'starts_at'],
)}, ${tokensOf('command_bus_action')} as tokens, ${instant('clock_timestamp()')} as now`

/** A row of `command_bus_action`; `details` holds the options as `detailsOf` wrote them. */
export interface ActionRow extends Omit<ActionRecord, 'details' | 'tenantId' | 'createdAt' | 'updatedAt' | 'startsAt'> {
  readonly action: string
  readonly details: object
  readonly tenant_id: string | null
  readonly done_to: number
  readonly created_at: string
  readonly updated_at: string
  readonly starts_at: string | null
}

export const recordOf = (row: ActionRow): ActionRecord => ({
  id: row.id,
  details: { action: row.action, ...row.details } as BulkDetails,
  criteria: row.criteria,
  canary: row.canary,
  campaign: row.campaign,
  exact: row.exact,
  operator: row.operator,
  tenantId: row.tenant_id,
  status: row.status,
  note: row.note,
  stage: row.stage,
  startsAt: row.starts_at,
  tokens: row.tokens,
  now: row.now,
  total: row.total,
  succeeded: row.succeeded,
  failed: row.failed,
  skipped: row.skipped,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

export interface ItemRow {
  readonly ordinal: number
  readonly domain: string
  readonly command_id: string
  readonly outcome: ItemOutcome | null
  readonly message: string | null
  readonly became: Became | null
  readonly became_code: string | null
}

/** SQL: what became of an item; null: it was not sent again. */
export const becameIn = (item: string, action: string): string =>
  `case when ${action}.action = 'retry' and ${item}.outcome = 'SUCCEEDED' then coalesce(${item}.became, 'RUNNING') end`

export const itemOf = (row: ItemRow): ActionItem => ({
  ordinal: row.ordinal,
  domain: row.domain,
  commandId: row.command_id,
  outcome: row.outcome,
  message: row.message,
  became: row.became,
  becameCode: row.became_code,
})
