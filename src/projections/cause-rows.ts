import type { CauseEvent } from '../domain/flow/cause/events.ts'
import type { Columns, RowWrite } from './row-write.ts'

const table = 'command_bus_cause'

/** One row for each cause about which something was ever written down. */
export const causeRows = (causeId: string, revision: number, event: CauseEvent): readonly RowWrite[] => {
  const row = { cause_id: causeId, updated_at: event.at, revision, ...changed(event) }
  if (revision > 0) return [{ table, kind: 'patch', row }]
  const { domain, commandType, errorCode } = event
  const key = { domain, command_type: commandType, error_code: errorCode }
  return [{ table, kind: 'put', row: { ...key, ...blank, ...row } }]
}

const blank = {
  assignee: null,
  tags: [],
  notes: 0,
  last_note: null,
  noted_by: null,
  noted_at: null,
  investigated_until: null,
  investigated_by: null,
  investigation_reason: null,
}

const changed = (event: CauseEvent): Columns => {
  switch (event.type) {
    case 'CauseNoted':
      return { notes: event.number, last_note: event.text, noted_by: event.actor, noted_at: event.at }
    case 'CauseAssigned':
      return { assignee: event.assignee }
    case 'CauseTagged':
      return { tags: event.tags }
    case 'CauseInvestigated':
      return {
        investigated_until: event.until,
        investigated_by: event.until === null ? null : event.actor,
        investigation_reason: event.until === null ? null : event.reason,
      }
  }
}
