import type { FileOutcome, FileResult, Owed, RunEvent } from './events.ts'
import { fileAfter } from './evolve.ts'
import type { NoteResults } from './intents.ts'
import type { FileState, StartedRun } from './state.ts'
import { endOf, refundsAt } from './state.ts'

/** Notes results of the present round for files that have none yet; the last result ends the run. */
export const noteResults = (intent: NoteResults, run: StartedRun): readonly RunEvent[] => {
  const { at, actor, round } = intent
  if (round !== run.round) return []
  const results = freshOf(intent.results, run)
  if (results.length === 0) return []
  const count = (...outcomes: readonly FileOutcome[]): number =>
    results.filter(({ outcome }) => outcomes.includes(outcome)).length
  const noted: RunEvent = {
    type: 'RunFilesNoted',
    at,
    actor,
    round,
    status: run.status === 'CANCELLED' ? run.status : 'RUNNING',
    results,
    completedJobs: run.completedJobs + count('completed'),
    failedJobs: run.failedJobs + count('failed', 'error'),
  }
  const files = [...run.files]
  for (const result of results) files[result.index] = fileAfter(files[result.index] as FileState, result)
  if (files.some(file => file.open)) return [noted]
  const status = run.status === 'CANCELLED' ? run.status : endOf(files)
  const refunds = status === 'CANCELLED' ? unworkedRefund(run, files) : refundsAt(status, run, 'no file was completed')
  const settled = refunds.length + run.owed.length === 0
  return [noted, { type: 'RunEnded', at, actor, round, status, refunds, settled }]
}

/** A job that was withdrawn without a cancel of the run counts as interrupted. */
const freshOf = (given: readonly FileResult[], run: StartedRun): readonly FileResult[] => {
  const seen = new Set<number>()
  return given.flatMap(result => {
    if (run.files[result.index]?.open !== true || seen.has(result.index)) return []
    seen.add(result.index)
    const interrupted = result.outcome === 'cancelled' && run.status !== 'CANCELLED'
    return [interrupted ? { ...result, outcome: 'interrupted' as const } : result]
  })
}

/** The refund of a cancelled run: files that no worker worked on go back to the charges that paid for them. */
const unworkedRefund = (run: StartedRun, files: readonly FileState[]): readonly Owed[] =>
  run.charges.flatMap(({ chargeId, returned }) => {
    const unworked = files.filter(({ paidBy }) => paidBy === chargeId).length
    const amount = unworked * run.creditsPerRun
    return returned !== null || amount === 0 || run.owed.some(owed => owed.chargeId === chargeId)
      ? []
      : [{ chargeId, amount, reason: `cancelled before ${unworked} files were worked on` }]
  })
