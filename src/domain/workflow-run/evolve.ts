import type { FileResult, Owed, RetriedFile, RunChargeAbandoned, RunEvent, RunInitiated, RunResumed } from './events.ts'
import type { ChargeOfRun, FileState, RunState, StartedRun } from './state.ts'
import { isActive } from './status.ts'

/** The state after one more event. Total: what is in the log has happened. */
export const evolve = (state: RunState, event: RunEvent): RunState => {
  if (event.type === 'RunChargeAbandoned') return { ...state, abandoned: [...state.abandoned, event.chargeId] }
  if (event.type === 'RunInitiated') return initiated(state, event)
  return state.status === 'NONE' ? state : { ...moved(state, event), updatedAt: event.at }
}

const moved = (state: StartedRun, event: Exclude<RunEvent, RunInitiated | RunChargeAbandoned>): StartedRun => {
  switch (event.type) {
    case 'RunBegan':
      return { ...state, status: 'RUNNING' }
    case 'RunFilesNoted':
      return {
        ...state,
        status: event.status,
        files: changed(state.files, event.results, fileAfter),
        completedJobs: event.completedJobs,
        failedJobs: event.failedJobs,
      }
    case 'RunEnded':
      return {
        ...state,
        status: event.status,
        files: withoutPay(state.files, event.refunds),
        owed: [...state.owed, ...event.refunds],
        endedAt: event.at,
      }
    case 'RunResumed':
      return resumed(state, event)
    case 'RunCancelled':
      return { ...state, status: 'CANCELLED' }
    case 'RunDispatchFailed':
      return {
        ...state,
        status: event.status,
        files: withoutPay(
          changed(state.files, event.restored, (file, { index: _, ...restored }) => ({
            ...file,
            ...restored,
            open: false,
          })),
          event.refunds,
        ),
        owed: [...state.owed, ...event.refunds],
        endedAt: isActive(event.status) ? null : event.at,
      }
    case 'RunRefunded': {
      const back = new Map(event.returned.map(({ chargeId, returned }) => [chargeId, returned]))
      return {
        ...state,
        owed: state.owed.filter(({ chargeId }) => !back.has(chargeId)),
        charges: state.charges.map(charge => ({ ...charge, returned: back.get(charge.chargeId) ?? charge.returned })),
      }
    }
  }
}

const changed = <Change extends { readonly index: number }>(
  files: readonly FileState[],
  changes: readonly Change[],
  change: (file: FileState, by: Change) => FileState,
): readonly FileState[] => {
  const copy = [...files]
  for (const one of changes) {
    const file = files[one.index]
    if (file !== undefined) copy[one.index] = change(file, one)
  }
  return copy
}

/** A file once its job has ended. */
export const fileAfter = (file: FileState, { outcome, errorCode, errorMessage }: FileResult): FileState => {
  const unworked = outcome === 'interrupted' || outcome === 'cancelled'
  const paidBy = unworked ? file.paidBy : null
  return { ...file, status: unworked ? 'pending' : outcome, open: false, paidBy, errorCode, errorMessage }
}

/** A refunded charge no longer pays for a file. */
const withoutPay = (files: readonly FileState[], refunds: readonly Owed[]): readonly FileState[] => {
  const back = new Set<string | null>(refunds.map(({ chargeId }) => chargeId))
  return back.size === 0 ? files : files.map(file => (back.has(file.paidBy) ? { ...file, paidBy: null } : file))
}

const chargesOf = (round: number, charge: RunInitiated['charge']): readonly ChargeOfRun[] =>
  charge === null ? [] : [{ ...charge, round, returned: null }]

const initiated = ({ abandoned }: RunState, event: RunInitiated): StartedRun => ({
  status: 'QUEUED',
  tenantId: event.tenantId,
  templateId: event.templateId,
  templateName: event.templateName,
  creditsPerRun: event.creditsPerRun,
  batchMode: event.batchMode,
  testRun: event.testRun,
  maxRetryCount: event.maxRetryCount,
  files: event.files.map(({ fileName, input }) => ({
    fileName,
    input,
    status: 'pending',
    open: true,
    paidBy: event.charge?.chargeId ?? null,
    retryAttempt: 0,
    errorCode: null,
    errorMessage: null,
    lastRetriedAt: null,
    before: null,
  })),
  round: 1,
  roundJobs: event.files.length,
  completedJobs: 0,
  failedJobs: 0,
  charges: chargesOf(1, event.charge),
  owed: [],
  lastRetryId: null,
  abandoned,
  startedBy: event.actor,
  createdAt: event.at,
  updatedAt: event.at,
  endedAt: null,
})

const resumed = (state: StartedRun, event: RunResumed): StartedRun => ({
  ...state,
  status: 'RUNNING',
  files: changed(state.files, event.files, (file, retried) => retriedFile(file, retried, event)),
  round: event.round,
  roundJobs: event.files.length,
  completedJobs: 0,
  failedJobs: 0,
  charges: [...state.charges, ...chargesOf(event.round, event.charge)],
  lastRetryId: event.retryId,
  endedAt: null,
})

const retriedFile = (
  file: FileState,
  { retryAttempt, charged }: RetriedFile,
  { at, charge }: RunResumed,
): FileState => ({
  fileName: file.fileName,
  input: file.input,
  status: 'pending',
  open: true,
  paidBy: charged ? (charge?.chargeId ?? null) : file.paidBy,
  retryAttempt,
  errorCode: null,
  errorMessage: null,
  lastRetriedAt: at,
  before: {
    status: file.status,
    retryAttempt: file.retryAttempt,
    errorCode: file.errorCode,
    errorMessage: file.errorMessage,
    lastRetriedAt: file.lastRetriedAt,
  },
})
