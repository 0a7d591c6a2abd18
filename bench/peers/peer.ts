import type { payload, Work } from '../work.ts'

/** No peer puts the jobs of several callers together: `send-100` would be `send-10` again. */
export type PeerWork = Exclude<Work, 'send-100'>

export type Job = ReturnType<typeof payload>

/** What a handler returns; peers that keep results keep this. */
export type Result = { readonly handled: number }
export type Handle = (job: Job) => Promise<Result>

/** A worker that is connected, and begins when it is told to. */
export type Worker = { readonly start: () => Promise<unknown>; readonly stop: () => Promise<unknown> }

/** A peer that is open on a schema of its own. */
export type Session = {
  readonly send: (job: Job) => Promise<unknown>
  /** All in one call. */
  readonly sendMany: (jobs: readonly Job[]) => Promise<unknown>
  readonly worker: (concurrency: number, handle: Handle) => Promise<Worker>
  readonly close: () => Promise<unknown>
}

/** Another queue on PostgreSQL, with settings that the variant's name tells apart. */
export type Peer = {
  readonly variant: string
  readonly queue: 'pg-boss' | 'graphile-worker' | 'bullmq'
  readonly settings: 'default' | 'batched' | 'tuned'
  /** What these settings make a difference to. */
  readonly works: readonly PeerWork[]
  readonly measuresLatency: boolean
  /** No more jobs than this, where a clock sets the pace and more would only take longer. */
  readonly mostJobs?: (concurrency: number) => number
  /** Makes the schema if it is not there. */
  readonly open: (url: string, schema: string) => Promise<Session>
  /** A query for how many jobs are `left`, and how many are kept as `completed`: null where none is kept. */
  readonly count: (schema: string) => string
}
