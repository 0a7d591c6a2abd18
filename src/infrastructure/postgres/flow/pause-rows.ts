import type { Pause } from '../../../application/ports/reading/flow-queries.ts'

/** What is read of a row of `command_bus_pause`; times are ISO 8601. */
export interface PauseRow {
  readonly pause_id: string
  readonly domain: string
  readonly command_type: string | null
  readonly tenant_id: string | null
  readonly reason: string
  readonly until: string | null
  readonly paused_by: string
  readonly paused_at: string
}

export const pauseOf = (row: PauseRow): Pause => ({
  pauseId: row.pause_id,
  domain: row.domain,
  commandType: row.command_type,
  tenantId: row.tenant_id,
  reason: row.reason,
  until: row.until,
  pausedBy: row.paused_by,
  pausedAt: row.paused_at,
})
