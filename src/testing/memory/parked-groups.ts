import type { TroubleshootingGroup } from '../../application/ports/reading/command-queries.ts'
import { cutMessage } from '../../application/shared/cut-json.ts'
import type { StoredRow } from './tables.ts'

const MOST_GROUPS = 500

/** Parked commands by domain, type, error code and place, the largest groups first. What is written about causes is left out. */
export const groupsOf = (parked: readonly StoredRow[], byFrame = true): readonly TroubleshootingGroup[] => {
  const groups = new Map<string, StoredRow[]>()
  for (const row of parked) {
    const key = JSON.stringify([row.domain, row.command_type, row.last_error_code, byFrame ? row.last_error_frame : ''])
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups]
    .sort(([a, some], [b, others]) => others.length - some.length || (a < b ? -1 : 1))
    .slice(0, MOST_GROUPS)
    .map(([, rows]) => groupOf(rows, byFrame))
}

const groupOf = (rows: readonly StoredRow[], byFrame: boolean): TroubleshootingGroup => {
  const placeOf = ({ parked_at, command_id }: StoredRow): string => `${parked_at} ${command_id}`
  const sorted = rows.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
  const [first, newest] = [sorted[0] as StoredRow, sorted.at(-1) as StoredRow]
  return {
    domain: newest.domain,
    commandType: newest.command_type,
    errorCode: newest.last_error_code ?? '',
    frame: byFrame ? newest.last_error_frame || null : null,
    count: rows.length,
    first: first.parked_at ?? '',
    last: newest.parked_at ?? '',
    sample: cutMessage(newest.last_error_msg),
    care: null,
  }
}
