import type { ActionItem, ActionRecord, BulkDetails, ItemOutcome } from '../../../application/ports/action-store.ts'
import { columnsOf } from '../connection/instant.ts'

/** The columns of `ActionRow`. */
export const actionColumns = columnsOf(
  'command_bus_action',
  [
    'id',
    'action',
    'criteria',
    'canary',
    'details',
    'operator',
    'tenant_id',
    'status',
    'note',
    'total',
    'succeeded',
    'failed',
    'skipped',
    'done_to',
  ],
  ['created_at', 'updated_at'],
)

/** A row of `command_bus_action`; `details` holds the options as `detailsOf` wrote them. */
export interface ActionRow extends Omit<ActionRecord, 'details' | 'tenantId' | 'createdAt' | 'updatedAt'> {
  readonly action: string
  readonly details: object
  readonly tenant_id: string | null
  readonly done_to: number
  readonly created_at: string
  readonly updated_at: string
}

export const recordOf = (row: ActionRow): ActionRecord => ({
  id: row.id,
  details: { action: row.action, ...row.details } as BulkDetails,
  criteria: row.criteria,
  canary: row.canary,
  operator: row.operator,
  tenantId: row.tenant_id,
  status: row.status,
  note: row.note,
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
}

export const itemOf = (row: ItemRow): ActionItem => ({
  ordinal: row.ordinal,
  domain: row.domain,
  commandId: row.command_id,
  outcome: row.outcome,
  message: row.message,
})
