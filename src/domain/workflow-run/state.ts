import type { Split } from '../credits/events.ts'
import type { Instant } from '../instant.ts'
import type { Json } from '../json/json.ts'
import type { FileStatus, Owed, RunTerms } from './events.ts'
import type { RunStatus } from './status.ts'

/** What a file was before the present round. */
export interface FileBefore {
  readonly status: FileStatus
  readonly retryAttempt: number
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly lastRetriedAt: Instant | null
}

export interface FileState extends FileBefore {
  readonly fileName: string
  readonly input: Json
  /** Its job of this round has no known outcome yet. */
  readonly open: boolean
  /** The charge, of any round, that paid for work on it that is not done yet. */
  readonly paidBy: string | null
  readonly before: FileBefore | null
}

/** What a workflow run was charged, and what was given back of it. */
export interface ChargeOfRun {
  readonly chargeId: string
  readonly round: number
  readonly taken: Split
  readonly returned: Split | null
}

export interface RunFacts extends RunTerms {
  /** In the order they were handed in; the order never changes. */
  readonly files: readonly FileState[]
  /** 1 for the first; each retry begins another. */
  readonly round: number
  /** Files of the round. */
  readonly roundJobs: number
  readonly completedJobs: number
  readonly failedJobs: number
  readonly charges: readonly ChargeOfRun[]
  /** Refunds that are not yet known to have reached the ledger. */
  readonly owed: readonly Owed[]
  readonly lastRetryId: string | null
  readonly abandoned: readonly string[]
  readonly startedBy: string
  readonly createdAt: Instant
  readonly updatedAt: Instant
  readonly endedAt: Instant | null
}

export type RunState =
  | { readonly status: 'NONE'; readonly abandoned: readonly string[] }
  | ({ readonly status: RunStatus } & RunFacts)

export type StartedRun = Exclude<RunState, { status: 'NONE' }>

export const initialState: RunState = { status: 'NONE', abandoned: [] }

export const isOpen = (run: StartedRun): boolean => run.files.some(file => file.open)

/** Files of the whole run by status. Files that are not completed, failed or error are open. */
export const countFiles = (files: readonly Pick<FileState, 'status'>[]) => {
  const counts = { completed: 0, failed: 0, error: 0, pending: 0 }
  for (const { status } of files) counts[status]++
  return counts
}

/** Credits spent, less refunds. */
export const costOf = (charges: readonly Pick<ChargeOfRun, 'taken' | 'returned'>[]) => ({
  monthly: charges.reduce((sum, { taken, returned }) => sum + taken.monthly - (returned?.monthly ?? 0), 0),
  purchased: charges.reduce((sum, { taken, returned }) => sum + taken.purchased - (returned?.purchased ?? 0), 0),
})

/** The end of a run without open files, from all its files, not only those of the round. */
export const endOf = (files: readonly Pick<FileState, 'status'>[]): RunStatus => {
  const { completed } = countFiles(files)
  if (completed === 0) return 'FAILED'
  return completed === files.length ? 'COMPLETED' : 'COMPLETED_WITH_ERRORS'
}

/** Every charge, if no file was completed; only the round's, if that round never began. */
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
