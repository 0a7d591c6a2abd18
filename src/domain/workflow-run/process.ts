import { type CommandEvent, EXPIRED } from '../command/events.ts'
import { isFinal } from '../command/transitions.ts'
import type { Json } from '../json/json.ts'
import type { FileOutcome, FileResult, Owed } from './events.ts'
import { jobId, jobName } from './names.ts'
import { isOpen, type RunState, type StartedRun } from './state.ts'

/** A job of the present round. */
export interface Job {
  readonly jobId: string
  /** Names the job in its round; see `jobName`. */
  readonly name: string
  readonly files: readonly number[]
  readonly data: Json
}

/** What happened to a job. `files`: results by file, where a batch's handler gave them. */
export type JobNews =
  | { readonly news: 'begun' }
  | {
      readonly news: 'ended'
      readonly outcome: FileOutcome
      readonly errorCode: string | null
      readonly errorMessage: string | null
      readonly result: Json
    }

const plain = (outcome: FileOutcome, result: Json = null): JobNews => ({
  news: 'ended',
  outcome,
  errorCode: null,
  errorMessage: null,
  result,
})

/** What an event of a job's command means for its run; null: nothing. */
export const react = (event: CommandEvent): JobNews | null => {
  if (!isFinal(event)) return event.type === 'CommandReceived' ? { news: 'begun' } : null
  switch (event.type) {
    case 'CommandCompleted':
      return plain('completed', event.result)
    case 'OperatorCompleted':
      return plain('completed', event.resultData)
    case 'CommandExhausted':
    case 'CommandRejectedByBusinessRule': {
      const { type, code, message } = event.error
      return { news: 'ended', outcome: outcomeOf[type], errorCode: code, errorMessage: message, result: null }
    }
    case 'CommandCanceled':
    case 'OperatorCanceled':
      return plain('cancelled')
    case 'CommandExpired': {
      const errorMessage = `no worker had begun it by ${event.expiresAt}`
      return { news: 'ended', outcome: 'interrupted', errorCode: EXPIRED, errorMessage, result: null }
    }
  }
}

/** A lost worker, or one that was never started, is an internal failure: the file stays pending and its retry is free. */
const outcomeOf = {
  TRANSIENT: 'failed',
  PERMANENT: 'error',
  BUSINESS_RULE: 'error',
  INVALID_PAYLOAD: 'error',
  LEASE_LOST: 'interrupted',
  NO_HANDLER: 'interrupted',
  ATTEMPT_ENDED: 'interrupted',
  TAMPERED: 'interrupted',
} as const

/** The results of a job's files. A batch's result may name the files that failed; all others are completed. */
export const resultsOf = (
  files: readonly number[],
  { outcome, errorCode, errorMessage, result }: Extract<JobNews, { news: 'ended' }>,
): readonly FileResult[] => {
  const results = outcome === 'completed' ? batchResults(result) : null
  return files.map((index): FileResult => results?.get(index) ?? { index, outcome, errorCode, errorMessage })
}

/** As those of other errors. */
const LONGEST_CODE = 200
const LONGEST_MESSAGE = 10_000

const batchResults = (result: Json): ReadonlyMap<number, FileResult> | null => {
  const list = memberOf(result, 'files')
  if (!Array.isArray(list)) return null
  const results = new Map<number, FileResult>()
  for (const item of list as readonly Json[]) {
    const [index, status] = [memberOf(item, 'index'), memberOf(item, 'status')]
    if (typeof index !== 'number' || (status !== 'completed' && status !== 'failed' && status !== 'error')) continue
    const text = (name: string, max: number): string | null => {
      const value = memberOf(item, name)
      return typeof value === 'string' ? value.slice(0, max).toWellFormed() : null
    }
    const failed = status !== 'completed'
    results.set(index, {
      index,
      outcome: status,
      errorCode: failed ? (text('errorCode', LONGEST_CODE) ?? 'FILE_FAILED') : null,
      errorMessage: failed ? (text('errorMessage', LONGEST_MESSAGE) ?? 'the job says that this file failed') : null,
    })
  }
  return results
}

const memberOf = (value: Json, name: string): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
    ? (value as { readonly [key: string]: Json })[name]
    : undefined

/** The jobs of the present round whose outcome is not known. */
export const openJobs = (runId: string, run: StartedRun): readonly Job[] => {
  const open = run.files.flatMap((file, index) => (file.open ? [index] : []))
  if (open.length === 0) return []
  const job = (index: number | null, files: readonly number[]): Job => {
    const id = jobId(runId, index)
    const about = { runId, jobId: id, round: run.round, template: run.templateName }
    return { jobId: id, name: jobName(id, run.round), files, data: { ...about, ...payloadOf(run, index, open) } }
  }
  return run.batchMode ? [job(null, open)] : open.map(index => job(index, [index]))
}

const payloadOf = (
  run: StartedRun,
  index: number | null,
  files: readonly number[],
): { readonly [key: string]: Json } => {
  const file = (of: number): { readonly [key: string]: Json } => ({
    index: of,
    fileName: run.files[of]?.fileName ?? '',
    input: run.files[of]?.input ?? null,
  })
  return index === null ? { files: files.map(file) } : file(index)
}

/** What is left to do for a run, from its state alone. It is done after a crash, too, and may be done twice. */
export interface Resumption {
  /** Jobs to queue, or to check if they are queued already. */
  readonly jobs: readonly Job[]
  /** Jobs that have not begun are to be withdrawn. */
  readonly withdraw: boolean
  readonly refunds: readonly Owed[]
}

export const resume = (runId: string, run: RunState): Resumption => {
  if (run.status === 'NONE') return { jobs: [], withdraw: false, refunds: [] }
  return {
    jobs: isOpen(run) ? openJobs(runId, run) : [],
    withdraw: run.status === 'CANCELLED',
    refunds: run.owed,
  }
}
