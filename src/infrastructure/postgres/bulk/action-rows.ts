import type {
  ActionItem,
  ActionRecord,
  Became,
  BulkDetails,
  ItemOutcome,
} from '../../../application/ports/action-store.ts'
import { columnsOf, instant } from '../connection/instant.ts'

/** What is late is caught up by this much above the rate. */
const CATCHING_UP = 1.05
/** A runner that stood still goes on with what this time allows, and has to catch up the rest. */
const AT_ONCE_SECONDS = 0.25
/** What is late for longer is not caught up. */
const LATE_SECONDS = 60

/**
 * SQL: what the rate of an action allows. Its row has what was late (`tokens`) at a time up to which all is sent (`tokens_at`).
 * `available`: what may be sent now; `late` and `since`: the same as in the row, at the time from which something may be sent.
 */
const pace = (action: string) => {
  const rate = `coalesce((${action}.campaign->>'ratePerSecond')::float8, 0)`
  // a clock that was set back must not stop an action until it is there again
  const all = `abs(extract(epoch from clock_timestamp() - ${action}.tokens_at)::float8)`
  const most = `least(${all}, greatest(${AT_ONCE_SECONDS}, 1 / nullif(${rate}, 0)))`
  const owed = `least(greatest(1, ${LATE_SECONDS} * ${rate}), ${action}.tokens + ${rate} * ${all})`
  return { rate, most, owed }
}

/** SQL: how many an action's rate allows now. */
export const tokensOf = (action: string): string => {
  const { rate, most, owed } = pace(action)
  return `least(${owed}, ${CATCHING_UP} * ${rate} * ${most})`
}

/** SQL: `tokens` and `tokens_at` after so many more were sent. */
export const spendTokens = (action: string, sent: string): string => {
  const { rate, most, owed } = pace(action)
  const late = `greatest(0, ${owed} - ${rate} * ${most})`
  // the time that these took, at the rate for what is in time, and faster for what is late
  const took = `coalesce(greatest(${sent} / nullif(${CATCHING_UP} * ${rate}, 0), (${sent} - ${late}) / nullif(${rate}, 0)), 0)`
  return `tokens = greatest(0, ${late} + ${rate} * ${took} - ${sent}),
         tokens_at = clock_timestamp() + (${took} - ${most}) * interval '1 second'`
}

/** Items that one statement writes: a million would take nearly as long as a statement may. */
export const PIECE = 25_000

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
