import { isRight } from 'fp-ts/lib/Either.js'
import type { Split } from '../../../src/domain/credits/events.ts'
import { fold } from '../../../src/domain/decider.ts'
import type { FileOutcome, FileResult, RunEvent } from '../../../src/domain/workflow-run/events.ts'
import { workflowRun } from '../../../src/domain/workflow-run/index.ts'
import type { Initiate, NoteResults, RetryFailed, RunIntent } from '../../../src/domain/workflow-run/intents.ts'

export const at = '2026-11-22T10:00:00.000Z'
export const later = '2026-11-22T11:00:00.000Z'
export const jane = 'jane@example.com'
export const RUN = '00000000-0000-4000-8000-0000000000aa'

export const split = (monthly: number, purchased: number, month = '2026-11'): Split => ({ monthly, purchased, month })

/** A run over `files` files at 2 credits each, by default paid from the month's pool. */
export const initiate = (files: number, more: Partial<Initiate> = {}): Initiate => {
  const credits = files * (more.creditsPerRun ?? 2)
  return {
    type: 'Initiate',
    at,
    actor: jane,
    tenantId: 't1',
    templateId: '00000000-0000-4000-8000-0000000000bb',
    templateName: 'Summaries',
    creditsPerRun: 2,
    batchMode: false,
    testRun: false,
    maxRetryCount: 3,
    files: Array.from({ length: files }, (_, i) => ({ fileName: `${i}.pdf`, input: { page: i } })),
    charge: more.testRun || credits === 0 ? null : { chargeId: 'c1', taken: split(credits, 0) },
    ...more,
  }
}

export const initiated = (files: number, more: Partial<Initiate> = {}): RunEvent => {
  const { type: _, ...given } = initiate(files, more)
  return { ...given, type: 'RunInitiated' }
}

export const result = (index: number, outcome: FileOutcome): FileResult =>
  outcome === 'completed' || outcome === 'cancelled'
    ? { index, outcome, errorCode: null, errorMessage: null }
    : { index, outcome, errorCode: 'RATE_LIMITED', errorMessage: `file ${index} failed` }

export const note = (round: number, ...results: readonly FileResult[]): NoteResults => ({
  type: 'NoteResults',
  at,
  actor: 'runs',
  round,
  results,
})

export const retry = (retryId: string, taken: Split | null, when = later): RetryFailed => ({
  type: 'RetryFailed',
  at: when,
  actor: jane,
  retryId,
  charge: taken === null ? null : { chargeId: retryId, taken },
})

/** The events that these intents cause. */
export const historyOf = (...intents: readonly RunIntent[]): readonly RunEvent[] => {
  const events: RunEvent[] = []
  for (const intent of intents) {
    const decided = workflowRun.decide(intent, fold(workflowRun, events))
    if (!isRight(decided)) throw new Error(`refused: ${decided.left.type}`)
    events.push(...decided.right)
  }
  return events
}
