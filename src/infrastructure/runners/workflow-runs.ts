import type { RetryOptions } from '../../application/commands/send-command.ts'
import type { FeedPosition } from '../../application/ports/event-feed.ts'
import type { WorkflowQueries } from '../../application/ports/reading/workflow-queries.ts'
import type { RunProcess } from '../../application/runs/run-process.ts'
import { loadCheckpoint, saveCheckpoint } from '../postgres/log/checkpoint.ts'
import type { JobFeed } from '../postgres/log/job-feed.ts'
import type { Leadership } from '../postgres/transactions/leadership.ts'
import type { WakeUp } from '../shared/wake-up.ts'
import { createLeader, type LeaderDeps } from './leader.ts'

/** How workflow runs are carried out. */
export interface WorkflowOptions {
  /** The domain whose workers work on files. Default `workflow`. */
  readonly domain?: string
  /** Automatic attempts of a job before its file has failed. Default: 3, with waits of 1 and 5 seconds. */
  readonly policy?: Pick<RetryOptions, 'maxAttempts' | 'backoffSeconds' | 'jitter'>
  /** For tests. */
  readonly limits?: Partial<RunnerLimits>
}

export interface RunRunnerDeps extends LeaderDeps {
  readonly feed: JobFeed
  readonly process: RunProcess
  readonly queries: Pick<WorkflowQueries, 'now' | 'unsettled' | 'orphans'>
  /** The log appends a charge and its run one after the other, so a charge may be left without a run. */
  readonly mayOrphan: boolean
  readonly limits?: Partial<RunnerLimits>
}

export interface RunnerLimits {
  /** The longest pause between two polls of the log, in milliseconds. Default 500. */
  readonly pollMs: number
  /** How often a process on standby tries to get the lock, in milliseconds. Default 1,000. */
  readonly standbyMs: number
  /** How often runs without progress are checked, in milliseconds. Default 30,000. */
  readonly sweepMs: number
  /** How long a run or a charge may be without progress before it is checked, in milliseconds. Default 60,000. */
  readonly graceMs: number
}

const PROJECTION = 'workflow-runs'
/** The pause after a page with results, as more results often follow. */
const SOON_MS = 20
const SWEPT_AT_ONCE = 10_000
/** How long charges are checked again, as read tables may lag behind the log. */
const LATE_MS = 24 * 3_600_000

/**
 * Follows the log and notes on runs how their jobs ended. One process does so and the others are on standby. Its work may be
 * done twice, as the checkpoint is written after it. A process that takes over first checks every open run.
 */
export const createRunRunner = (deps: RunRunnerDeps) => {
  const { feed, process, queries, log } = deps
  const { pollMs, standbyMs, sweepMs, graceMs } = {
    pollMs: 500,
    standbyMs: 1_000,
    sweepMs: 30_000,
    graceMs: 60_000,
    ...deps.limits,
  }

  /** Every charge from before this time is claimed by a run or refunded. Null: a new leader checks all of them once. */
  let claimedUntil: number | null = null

  const sweep = async (graceFor: number, signal: AbortSignal): Promise<void> => {
    const now = await queries.now()
    for (const runId of await queries.unsettled(new Date(now - graceFor).toISOString(), SWEPT_AT_ONCE)) {
      if (signal.aborted) return
      await process.resumeIsolated(runId)
    }
    if (!deps.mayOrphan) return
    const old = now - graceMs
    const from = claimedUntil === null ? null : new Date(claimedUntil - LATE_MS).toISOString()
    const orphans = await queries.orphans(from, new Date(old).toISOString(), SWEPT_AT_ONCE)
    for (const orphan of orphans) {
      if (signal.aborted) return
      log.warn({ ...orphan }, 'a charge that no run has claimed is refunded')
      await process.giveBack(orphan)
    }
    if (orphans.length < SWEPT_AT_ONCE) claimedUntil = old
  }

  const follow = async ({ client }: Leadership, signal: AbortSignal, bell: WakeUp): Promise<void> => {
    claimedUntil = null
    // without a checkpoint the past is not read, as every open run is checked below
    let position: FeedPosition | null = (await loadCheckpoint(client, PROJECTION)) ?? (await feed.head())
    await saveCheckpoint(client, PROJECTION, position)
    let saved = position
    await sweep(-1_000, signal)
    let sweptAt = performance.now()
    let pause = SOON_MS
    while (!signal.aborted) {
      const page = await feed.read(position)
      if (page.events.length > 0) await process.handle(page.events)
      position = page.reached
      if (position !== null && position !== saved) {
        await saveCheckpoint(client, PROJECTION, position)
        saved = position
      }
      if (performance.now() - sweptAt > sweepMs) {
        await sweep(graceMs, signal)
        sweptAt = performance.now()
      }
      pause = page.events.length > 0 ? SOON_MS : Math.min(pause * 2, pollMs)
      if (!page.more) await bell.wait(pause)
    }
  }

  return createLeader(deps, {
    lock: PROJECTION,
    standbyMs,
    warning: 'workflow runs are not followed now; trying again',
    lead: follow,
  })
}
