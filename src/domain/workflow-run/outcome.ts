import type { Owed } from './events.ts'
import { countFiles, type FileState, type StartedRun } from './state.ts'
import type { RunStatus } from './status.ts'

/** How a round without open files ends: by all files of the run, not by those of the round. */
export const endOf = (files: readonly Pick<FileState, 'status'>[]): RunStatus => {
  const { completed } = countFiles(files)
  if (completed === 0) return 'FAILED'
  return completed === files.length ? 'COMPLETED' : 'COMPLETED_WITH_ERRORS'
}

/** Where nothing was completed, every charge is given back; where a round never began, that round's. */
export const refundsAt = (
  status: RunStatus,
  { charges, owed }: Pick<StartedRun, 'charges' | 'owed'>,
  reason: string,
  round: number | null = null,
): readonly Owed[] =>
  charges
    .filter(
      ({ chargeId, returned, round: of }) =>
        returned === null && !owed.some(o => o.chargeId === chargeId) && (status === 'FAILED' || of === round),
    )
    .map(({ chargeId, taken }) => ({ chargeId, amount: taken.monthly + taken.purchased, reason }))
