import fc from 'fast-check'
import { isLeft } from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { fold } from '../../../src/domain/decider.ts'
import { snapshotDiff, stepsAt } from '../../../src/domain/history.ts'
import type { Recorded } from '../../../src/domain/recorded.ts'
import type { FileOutcome, RunEvent } from '../../../src/domain/workflow-run/events.ts'
import { historyOfRun, type RunSnapshot, runAt } from '../../../src/domain/workflow-run/history.ts'
import { workflowRun } from '../../../src/domain/workflow-run/index.ts'
import type { RunIntent } from '../../../src/domain/workflow-run/intents.ts'
import { runStream } from '../../../src/domain/workflow-run/names.ts'
import { createWrites } from '../../../src/projections/row-write.ts'
import { runRows } from '../../../src/projections/run-rows.ts'
import { initiate, jane, note, RUN, result, retry, split } from '../../support/lives/workflow-life.ts'

const timeOf = (n: number): string => new Date(Date.UTC(2026, 10, 22, 10, 0, n)).toISOString()

type Op =
  | { readonly op: 'note'; readonly file: number; readonly outcome: FileOutcome }
  | { readonly op: 'retry' | 'cancel' | 'abandon' }

const outcomes: readonly FileOutcome[] = ['completed', 'failed', 'error', 'interrupted', 'cancelled']
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ op: fc.constant('note' as const), file: fc.nat(3), outcome: fc.constantFrom(...outcomes) }),
  },
  { weight: 2, arbitrary: fc.constant({ op: 'retry' as const }) },
  { weight: 1, arbitrary: fc.constantFrom({ op: 'cancel' as const }, { op: 'abandon' as const }) },
)

/** The events of the run for these intents; a refused intent has none. */
const lived = (files: number, ops: readonly Op[]): readonly Recorded<RunEvent>[] => {
  const events: RunEvent[] = []
  let state = workflowRun.initial
  const take = (intent: RunIntent): void => {
    const decided = workflowRun.decide(intent, state)
    if (isLeft(decided)) return
    events.push(...decided.right)
    state = fold(workflowRun, decided.right, state)
  }
  take({ ...initiate(files), at: timeOf(0) })
  for (const [i, given] of ops.entries()) {
    const at = timeOf(i + 1)
    const round = state.status === 'NONE' ? 1 : state.round
    if (given.op === 'note') take({ ...note(round, result(given.file % files, given.outcome)), at })
    if (given.op === 'retry') take(retry(`r${i}`, split(2, i % 2), at))
    if (given.op === 'cancel') take({ type: 'Cancel', at, actor: jane, reason: null })
    if (given.op === 'abandon') take({ type: 'AbandonCharge', at, actor: 'runs', chargeId: `gone ${i}` })
  }
  return events.map((event, revision) => ({ stream: runStream(RUN), revision, id: '', event, context: {} as never }))
}

/** The rows that the same events make. */
const rowsOf = (events: readonly Recorded<RunEvent>[]) => {
  const writes = createWrites()
  for (const { event, revision } of events) for (const write of runRows(RUN, revision, event)) writes.add(write)
  return writes.all().map(({ row }) => row)
}

const asRows = (snapshot: RunSnapshot) => [
  {
    status: snapshot.status,
    tenant_id: snapshot.tenantId,
    template_id: snapshot.templateId,
    template_name: snapshot.templateName,
    credits_per_run: snapshot.creditsPerRun,
    batch_mode: snapshot.batchMode,
    test_run: snapshot.testRun,
    max_retry_count: snapshot.maxRetryCount,
    total_jobs: snapshot.totalJobs,
    completed_jobs: snapshot.completedJobs,
    failed_jobs: snapshot.failedJobs,
    round: snapshot.round,
    round_jobs: snapshot.roundJobs,
    credits_from_monthly: snapshot.creditsFromMonthly,
    credits_from_purchased: snapshot.creditsFromPurchased,
    started_by: snapshot.startedBy,
    ended_at: snapshot.endedAt,
    created_at: snapshot.createdAt,
    updated_at: snapshot.updatedAt,
    revision: snapshot.revision,
  },
  ...snapshot.files.map(file => ({
    idx: file.index,
    file_name: file.fileName,
    status: file.status,
    open: file.open,
    retry_attempt: file.retryAttempt,
    error_code: file.errorCode,
    error_message: file.errorMessage,
    last_retried_at: file.lastRetriedAt,
  })),
]

test('over random histories the state at every revision equals the rows of the run and its files at that time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(op, { maxLength: 14 }), (files, ops) => {
      const events = lived(files, ops)
      const steps = [...historyOfRun(events)]
      expect(steps).toHaveLength(events.length)
      for (const [revision, { at, state, diff }] of steps.entries()) {
        expect(rowsOf(events.slice(0, revision + 1))).toMatchObject(asRows(state))
        expect(stepsAt(steps, revision)).toEqual([...historyOfRun(events.slice(0, revision + 1))])
        expect(runAt(events, revision)).toEqual(state)
        expect(stepsAt(steps, at).at(-1)?.at).toBe(at)
        const before = steps[revision - 1]?.state ?? null
        expect(diff).toEqual(snapshotDiff(before, state))
        const { revision: _, updatedAt: __, ...now } = state
        const { revision: ___, updatedAt: ____, ...then } = before ?? ({} as RunSnapshot)
        expect(diff.length === 0).toBe(JSON.stringify(now) === JSON.stringify(then))
      }
    }),
    { numRuns: 60 },
  )
})

test('a difference names changed files by their index, and leaves out unchanged ones', () => {
  const events = lived(3, [
    { op: 'note', file: 1, outcome: 'failed' },
    { op: 'note', file: 0, outcome: 'completed' },
  ])
  const noted = [...historyOfRun(events)].filter(({ names }) => names[0] === 'FILES_NOTED')
  expect(noted[0]?.diff.filter(({ path }) => path.startsWith('/files'))).toEqual([
    { op: 'replace', path: '/files/1/status', from: 'pending', to: 'failed' },
    { op: 'replace', path: '/files/1/open', from: true, to: false },
    { op: 'replace', path: '/files/1/errorCode', from: null, to: 'RATE_LIMITED' },
    { op: 'replace', path: '/files/1/errorMessage', from: null, to: 'file 1 failed' },
  ])
  expect(noted[1]?.diff.map(({ path }) => path)).toEqual(['/completedJobs', '/files/0/status', '/files/0/open'])
})
