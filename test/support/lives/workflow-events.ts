import fc from 'fast-check'
import type { CreditsEvent } from '../../../src/domain/credits/events.ts'
import type { RunEvent } from '../../../src/domain/workflow-run/events.ts'
import type { TemplateEvent } from '../../../src/domain/workflow-template/events.ts'
import { at, initiated, jane, later, RUN, result, split } from './workflow-life.ts'

type WorkflowEvent = RunEvent | CreditsEvent | TemplateEvent

const fact = { at, actor: jane }
const owed = [{ chargeId: 'c1', amount: 2, reason: 'failed' }]
const left = split(90, 7)
const template = { name: 'Summaries', creditsPerRun: 2 }

const examples: { readonly [Type in WorkflowEvent['type']]: readonly Extract<WorkflowEvent, { type: Type }>[] } = {
  RunInitiated: [initiated(2), initiated(1, { testRun: true })] as never,
  RunBegan: [{ ...fact, type: 'RunBegan', round: 1 }],
  RunFilesNoted: [
    {
      ...fact,
      type: 'RunFilesNoted',
      round: 1,
      status: 'RUNNING',
      results: [result(0, 'completed'), result(1, 'failed')],
      completedJobs: 1,
      failedJobs: 1,
    },
  ],
  RunEnded: [
    { ...fact, type: 'RunEnded', round: 1, status: 'COMPLETED', refunds: [], settled: true },
    { ...fact, type: 'RunEnded', round: 2, status: 'FAILED', refunds: owed, settled: false },
  ],
  RunResumed: [
    {
      ...fact,
      type: 'RunResumed',
      retryId: 'r1',
      round: 2,
      files: [{ index: 1, retryAttempt: 1, charged: true }],
      charge: { chargeId: 'r1', taken: split(2, 0) },
      creditsFromMonthly: 4,
      creditsFromPurchased: 0,
    },
  ],
  RunCancelled: [
    { ...fact, type: 'RunCancelled', reason: null },
    { ...fact, type: 'RunCancelled', reason: 'a mistake' },
  ],
  RunDispatchFailed: [
    {
      ...fact,
      type: 'RunDispatchFailed',
      round: 2,
      code: 'NOT_QUEUED',
      message: 'the queue is away',
      restored: [
        { index: 1, status: 'failed', retryAttempt: 0, errorCode: 'X', errorMessage: null, lastRetriedAt: later },
      ],
      status: 'COMPLETED_WITH_ERRORS',
      refunds: owed,
      settled: false,
    },
  ],
  RunRefunded: [
    {
      ...fact,
      type: 'RunRefunded',
      returned: [{ chargeId: 'c1', returned: split(2, 0) }],
      creditsFromMonthly: 2,
      creditsFromPurchased: 0,
      settled: true,
    },
  ],
  RunChargeAbandoned: [{ ...fact, type: 'RunChargeAbandoned', chargeId: 'c1' }],
  CreditsGranted: [
    { ...fact, type: 'CreditsGranted', grantId: 'g1', pool: 'monthly', amount: 100, reason: 'a new month', left },
  ],
  CreditsCharged: [{ ...fact, type: 'CreditsCharged', chargeId: 'c1', runId: RUN, taken: split(2, 0), left }],
  CreditsRefunded: [
    { ...fact, type: 'CreditsRefunded', chargeId: 'c1', runId: RUN, returned: split(2, 0), reason: 'failed', left },
  ],
  TemplateCreated: [{ ...fact, type: 'TemplateCreated', ...template, tenantId: null, batchMode: false }],
  TemplateEdited: [{ ...fact, type: 'TemplateEdited', ...template }],
  TemplateArchived: [{ ...fact, type: 'TemplateArchived' }],
}

/** For each type, an arbitrary of a few events. */
export const workflowEvents: { readonly [type: string]: fc.Arbitrary<WorkflowEvent> } = Object.fromEntries(
  Object.entries(examples).map(([type, events]) => [type, fc.constantFrom(...(events as readonly WorkflowEvent[]))]),
)
