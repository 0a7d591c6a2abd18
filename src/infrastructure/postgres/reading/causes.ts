import type { CauseCare } from '../../../application/ports/reading/command-queries.ts'
import { instant } from '../connection/instant.ts'

/** SQL: whether a row of `command_bus_cause` is about the command or group `of`. */
export const ofCause = (cause: string, of: string): string =>
  `${cause}.domain = ${of}.domain and ${cause}.command_type = ${of}.command_type and ${cause}.error_code = ${of}.last_error_code`

/** SQL, by the clock of the database. */
export const INVESTIGATED = 'investigated_until > now()'

export const causeColumns = (cause: string): string => `${cause}.assignee, ${cause}.tags, ${cause}.notes,
  left(${cause}.last_note, 300) as "lastNote", ${cause}.noted_by as "notedBy", ${instant(`${cause}.noted_at`)} as "notedAt",
  ${instant(`case when ${cause}.${INVESTIGATED} then ${cause}.investigated_until end`)} as "investigatedUntil",
  case when ${cause}.${INVESTIGATED} then ${cause}.investigated_by end as "investigatedBy",
  case when ${cause}.${INVESTIGATED} then ${cause}.investigation_reason end as "investigationReason"`

/** What a row with these columns says; null where nothing was written down. */
export const careOf = (row: CauseCare | { readonly notes: null }): CauseCare | null => {
  if (row.notes === null) return null
  const { assignee, tags, notes, lastNote, notedBy, notedAt, investigatedUntil, investigatedBy, investigationReason } =
    row
  return { assignee, tags, notes, lastNote, notedBy, notedAt, investigatedUntil, investigatedBy, investigationReason }
}
