import { UUID_PATTERN } from '../uuid.ts'

const PREFIX = 'workflow_run-'

export const runStream = (runId: string): string => `${PREFIX}${runId}`

export const parseRunStream = (stream: string): string | null =>
  stream.startsWith(PREFIX) ? stream.slice(PREFIX.length) : null

/** The logical job of a file. In batch mode the run has one job, with the run's id. */
export const jobId = (runId: string, index: number | null): string =>
  index === null ? runId : `${runId}:file:${index}`

/** A job in a round, in which it is queued once. Its command's id derives from this. */
export const jobName = (job: string, round: number): string => `${job}#${round}`

const JOB = new RegExp(`^(${UUID_PATTERN})(?::file:(\\d{1,9}))?#(\\d{1,9})$`)

export interface NamedJob {
  readonly runId: string
  /** Null: the one job of a run in batch mode. */
  readonly index: number | null
  readonly round: number
}

export const parseJobName = (text: string): NamedJob | null => {
  const [, runId, index, round] = JOB.exec(text) ?? []
  if (runId === undefined || round === undefined) return null
  return { runId, index: index === undefined ? null : Number(index), round: Number(round) }
}
