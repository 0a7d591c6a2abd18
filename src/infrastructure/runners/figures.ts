import { countFigures, forgetFigures, sampleQueues } from '../postgres/figures/count-figures.ts'
import type { Leadership } from '../postgres/transactions/leadership.ts'
import type { WakeUp } from '../shared/wake-up.ts'
import { createLeader, type LeaderDeps } from './leader.ts'

export interface FigureLimits {
  /** The pause when all events are counted, in milliseconds. Default 1,000. */
  readonly pollMs: number
  /** The most events that are counted in one transaction. Default 5,000. */
  readonly batch: number
  /** How often queues are looked at, in milliseconds. Default 20,000. */
  readonly sampleMs: number
  /** How often a process on standby tries to get the lock, in milliseconds. Default 1,000. */
  readonly standbyMs: number
}

const FORGET_MS = 600_000
/** Between two batches while it catches up: other work goes first. */
const BREATH_MS = 20

const usualLimits: FigureLimits = { pollMs: 1_000, batch: 5_000, sampleMs: 20_000, standbyMs: 1_000 }

/**
 * Counts the log into the figures of types and errors, and looks at the queues. One process does so and the others are on
 * standby; a batch and its position are committed together, so that nothing is counted twice or never.
 */
export const createFigureRunner = (deps: LeaderDeps & { readonly limits?: Partial<FigureLimits> | undefined }) => {
  const { pollMs, batch, sampleMs, standbyMs } = { ...usualLimits, ...deps.limits }

  const lead = async ({ client }: Leadership, signal: AbortSignal, bell: WakeUp): Promise<void> => {
    let sampleAt = 0
    let forgetAt = 0
    while (!signal.aborted) {
      const more = await countFigures(client, batch)
      const now = performance.now()
      if (now >= sampleAt) {
        sampleAt = now + sampleMs
        await sampleQueues(deps.pool, client)
      }
      if (now >= forgetAt) {
        forgetAt = now + FORGET_MS
        await forgetFigures(client)
      }
      if (!signal.aborted) await bell.wait(more ? BREATH_MS : pollMs)
    }
  }

  return createLeader(deps, {
    lock: 'figures',
    standbyMs,
    warning: 'figures are not counted now; trying again',
    lead,
  })
}
