import { isRight } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { fold } from '../../../src/domain/decider.ts'
import type { FileOutcome, RunEvent } from '../../../src/domain/workflow-run/events.ts'
import { workflowRun } from '../../../src/domain/workflow-run/index.ts'
import type { RunIntent } from '../../../src/domain/workflow-run/intents.ts'
import { planRetry } from '../../../src/domain/workflow-run/retry.ts'
import { scenarios } from '../../support/lives/decider.ts'
import {
  historyOf,
  initiate,
  initiated,
  jane,
  later,
  note,
  result,
  retry,
  split,
} from '../../support/lives/workflow-life.ts'

const given = scenarios(workflowRun)

/** A run whose first round ended like this, file by file. */
const ended = (outcomes: readonly FileOutcome[], more = {}): readonly RunEvent[] =>
  historyOf(initiate(outcomes.length, more), note(1, ...outcomes.map((outcome, i) => result(i, outcome))))
const stateOf = (events: readonly RunEvent[]) => {
  const state = fold(workflowRun, events)
  if (state.status === 'NONE') throw new Error('there is no run')
  return state
}
const mixed: readonly FileOutcome[] = ['completed', 'failed', 'error', 'failed', 'interrupted']

describe('Continue', () => {
  test('C4, C9: takes failed files at the price and pending ones for free, and leaves errors alone', () => {
    const resumed: RunEvent = {
      type: 'RunResumed',
      at: later,
      actor: jane,
      retryId: 'again',
      round: 2,
      files: [
        { index: 1, retryAttempt: 1, charged: true },
        { index: 3, retryAttempt: 1, charged: true },
        { index: 4, retryAttempt: 0, charged: false },
      ],
      charge: { chargeId: 'again', taken: split(4, 0) },
      creditsFromMonthly: 14,
      creditsFromPurchased: 0,
    }
    given(ended(mixed))
      .when(retry('again', split(4, 0)))
      .then([resumed])
      .again()
    const run = stateOf([...ended(mixed), resumed])
    expect(
      run.files.map(({ status, retryAttempt, errorMessage, lastRetriedAt }) => [
        status,
        retryAttempt,
        errorMessage,
        lastRetriedAt,
      ]),
    ).toEqual([
      ['completed', 0, null, null],
      ['pending', 1, null, later],
      ['error', 0, 'file 2 failed', null],
      ['pending', 1, null, later],
      ['pending', 0, null, later],
    ])
  })
  test('C8: sets the counters of jobs back, and the run ends when the round has no open file', () => {
    const again = [...ended(mixed), ...resumedBy(ended(mixed), retry('again', split(4, 0)))]
    expect(stateOf(again)).toMatchObject({ status: 'RUNNING', round: 2, roundJobs: 3, completedJobs: 0, failedJobs: 0 })
    const two = [...again, ...resumedBy(again, note(2, result(1, 'completed'), result(3, 'completed')))]
    expect(stateOf(two)).toMatchObject({ status: 'RUNNING', completedJobs: 2 })
    const all = [...two, ...resumedBy(two, note(2, result(4, 'completed')))]
    expect(stateOf(all)).toMatchObject({ status: 'COMPLETED_WITH_ERRORS', completedJobs: 3, failedJobs: 0 })
    expect(all.at(-1)).toMatchObject({ type: 'RunEnded', refunds: [] })
  })
  test('C3: of a run that is queued or running is refused', () => {
    given([initiated(2)])
      .when(retry('again', null))
      .then({ type: 'AlreadyRunning', status: 'QUEUED' })
    given(historyOf(initiate(2), note(1, result(0, 'failed'))))
      .when(retry('again', null))
      .then({ type: 'AlreadyRunning', status: 'RUNNING' })
  })
  test('C3: of a run that is completed, cancelled, unknown, or has neither failed nor pending files is refused', () => {
    given(ended(['completed']))
      .when(retry('again', null))
      .then({ type: 'AlreadyCompleted' })
    given(historyOf(initiate(1), { type: 'Cancel', at: later, actor: jane, reason: null }))
      .when(retry('again', null))
      .then({ type: 'AlreadyCancelled' })
    given([]).when(retry('again', null)).then({ type: 'NotFound' })
    given(ended(['completed', 'error']))
      .when(retry('again', null))
      .then({ type: 'NothingToRetry' })
  })
  test('C6: is refused as a whole when one file has used up its retries', () => {
    const once = ended(['completed', 'failed', 'interrupted'], { maxRetryCount: 1 })
    const twice = [...once, ...resumedBy(once, retry('again', split(2, 0)))]
    const over = [...twice, ...resumedBy(twice, note(2, result(1, 'failed'), result(2, 'interrupted')))]
    expect(stateOf(over).files.map(file => file.retryAttempt)).toEqual([0, 1, 0])
    given(over).when(retry('third', null)).then({ type: 'MaxRetriesExceeded', max: 1 })
  })
  test('C6, G11: of a file whose last retry was interrupted is free, and counts as the same retry', () => {
    const once = ended(['completed', 'failed'], { maxRetryCount: 1 })
    const twice = [...once, ...resumedBy(once, retry('again', split(2, 0)))]
    const left = [...twice, ...resumedBy(twice, note(2, result(1, 'interrupted')))]
    expect(stateOf(left).files[1]).toMatchObject({ status: 'pending', retryAttempt: 1 })
    const plan = planRetry(stateOf(left))
    expect(isRight(plan) && plan.right).toMatchObject({
      credits: 0,
      files: [{ index: 1, retryAttempt: 1, charged: false }],
    })
    const third = [...left, ...resumedBy(left, retry('third', null))]
    const over = [...third, ...resumedBy(third, note(3, result(1, 'failed')))]
    given(over).when(retry('fourth', null)).then({ type: 'MaxRetriesExceeded', max: 1 })
  })
  test('C4: of pending files only is free', () => {
    const run = fold(workflowRun, ended(['completed', 'interrupted', 'interrupted']))
    const plan = planRetry(run)
    expect(isRight(plan) && plan.right).toMatchObject({ failed: 0, pending: 2, credits: 0 })
    given(ended(['completed', 'interrupted', 'interrupted']))
      .when(retry('again', split(1, 0)))
      .then({ type: 'ChargeDoesNotFit', needed: 0 })
  })
  test('C4, C14: of a run that failed and was refunded also costs credits for pending files', () => {
    const nothing = ended(['interrupted', 'failed', 'error'])
    expect(stateOf(nothing).status).toBe('FAILED')
    const plan = planRetry(stateOf(nothing))
    expect(isRight(plan) && plan.right).toMatchObject({ failed: 1, pending: 1, credits: 4 })
    given(nothing)
      .when(retry('again', split(2, 0)))
      .then({ type: 'ChargeDoesNotFit', needed: 4 })
    const again = [...nothing, ...resumedBy(nothing, retry('again', split(4, 0)))]
    // a failure of the bus uses up no retry, whether it is paid or free
    expect(stateOf(again).files.map(file => file.retryAttempt)).toEqual([0, 1, 0])
    const once = [...again, ...resumedBy(again, note(2, result(0, 'interrupted'), result(1, 'completed')))]
    expect(planRetry(stateOf(once))).toMatchObject({ right: { pending: 1, credits: 0 } })
    expect(planRetry(fold(workflowRun, ended(['interrupted'], { testRun: true, charge: null })))).toMatchObject({
      right: { credits: 0 },
    })
  })
  test('C4: keeps the price at which the run began, and a test run is free', () => {
    const plan = (more: object) => planRetry(fold(workflowRun, ended(['completed', 'failed'], more)))
    expect(plan({ creditsPerRun: 7 })).toMatchObject({ right: { credits: 7 } })
    expect(plan({ testRun: true, charge: null })).toMatchObject({ right: { credits: 0 } })
  })
  test('with a charge of the wrong amount is refused', () => {
    given(ended(mixed))
      .when(retry('again', split(2, 0)))
      .then({ type: 'ChargeDoesNotFit', needed: 4 })
  })
})

/** The events of one more intent. */
const resumedBy = (events: readonly RunEvent[], intent: RunIntent): readonly RunEvent[] => {
  const decided = workflowRun.decide(intent, fold(workflowRun, events))
  if (!isRight(decided)) throw new Error(`refused: ${decided.left.type}`)
  return decided.right
}

describe('results', () => {
  test('C10: of an earlier round change nothing, nor does a repeated result', () => {
    const again = [...ended(mixed), ...resumedBy(ended(mixed), retry('again', split(4, 0)))]
    given(again)
      .when(note(1, result(1, 'completed')))
      .then([])
    const one = resumedBy(again, note(2, result(1, 'failed')))
    given([...again, ...one])
      .when(note(2, result(1, 'completed')))
      .then([])
    given(again)
      .when(note(2, result(0, 'failed'), result(2, 'completed'), result(9, 'failed')))
      .then([])
  })
  test('C14: without a completed file the run has failed, and its whole cost is owed', () => {
    const events = ended(['failed', 'error'])
    expect(events.at(-1)).toMatchObject({
      type: 'RunEnded',
      status: 'FAILED',
      refunds: [{ chargeId: 'c1', amount: 4 }],
    })
    const back = { chargeId: 'c1', returned: split(4, 0) }
    given(events)
      .when({ type: 'NoteRefund', at: later, actor: 'runs', returned: [back] })
      .then([
        {
          type: 'RunRefunded',
          at: later,
          actor: 'runs',
          returned: [back],
          creditsFromMonthly: 0,
          creditsFromPurchased: 0,
          settled: true,
        },
      ])
      .again()
  })
  test('C14: a file that completed in an earlier round keeps the run from failing', () => {
    const once = ended(['completed', 'failed'])
    const twice = [...once, ...resumedBy(once, retry('again', split(2, 0)))]
    const over = [...twice, ...resumedBy(twice, note(2, result(1, 'failed')))]
    expect(over.at(-1)).toMatchObject({ type: 'RunEnded', status: 'COMPLETED_WITH_ERRORS', refunds: [] })
  })
  test('C14: a run that failed and was continued owes only what was charged since', () => {
    const once = ended(['failed'])
    const refunded = [
      ...once,
      ...resumedBy(once, {
        type: 'NoteRefund',
        at: later,
        actor: 'runs',
        returned: [{ chargeId: 'c1', returned: split(2, 0) }],
      }),
    ]
    const twice = [...refunded, ...resumedBy(refunded, retry('again', split(0, 2)))]
    const over = [...twice, ...resumedBy(twice, note(2, result(0, 'failed')))]
    expect(over.at(-1)).toMatchObject({ status: 'FAILED', refunds: [{ chargeId: 'again', amount: 2 }] })
  })
})

describe('a round that cannot be queued', () => {
  const failed = {
    type: 'FailDispatch',
    at: later,
    actor: 'runs',
    round: 2,
    code: 'TOO_LARGE',
    message: 'too large',
  } as const
  test('C12: resets its files, and owes its charge', () => {
    const again = [...ended(mixed), ...resumedBy(ended(mixed), retry('again', split(4, 0)))]
    const restored = [...again, ...resumedBy(again, failed)]
    const files = (events: readonly RunEvent[]) =>
      stateOf(events).files.map(({ status, retryAttempt, errorMessage }) => [status, retryAttempt, errorMessage])
    expect(files(restored)).toEqual(files(ended(mixed)))
    expect(stateOf(restored)).toMatchObject({
      status: 'COMPLETED_WITH_ERRORS',
      owed: [{ chargeId: 'again', amount: 4 }],
    })
    given(restored).when(failed).then([])
    given(restored)
      .when(note(2, result(1, 'completed')))
      .then([])
  })
  test('C12: if it is the first, fails the run, whose files may be retried at the refunded price', () => {
    const events = historyOf(initiate(2), { ...failed, round: 1 })
    expect(stateOf(events)).toMatchObject({ status: 'FAILED', owed: [{ chargeId: 'c1', amount: 4 }] })
    expect(planRetry(fold(workflowRun, events))).toMatchObject({ right: { failed: 2, credits: 4 } })
  })
})

describe('cancelling', () => {
  const cancel = { type: 'Cancel', at: later, actor: jane, reason: 'no longer needed' } as const
  test('ends the run at once, and refunds files that no worker started when the rest has ended', () => {
    given([initiated(3)])
      .when(cancel)
      .then([{ type: 'RunCancelled', at: later, actor: jane, reason: 'no longer needed' }])
      .again()
    const events = historyOf(
      initiate(3),
      cancel,
      note(1, result(0, 'cancelled'), result(1, 'completed'), result(2, 'cancelled')),
    )
    expect(events.at(-1)).toMatchObject({ status: 'CANCELLED', refunds: [{ chargeId: 'c1', amount: 4 }] })
  })
  test('G11: after a free Continue refunds files of the first charge that no worker started', () => {
    const left = [...ended(['completed', 'interrupted', 'interrupted'])]
    const free = [...left, ...resumedBy(left, retry('again', null))]
    const cancelled = [...free, ...resumedBy(free, cancel)]
    const over = [...cancelled, ...resumedBy(cancelled, note(2, result(1, 'cancelled'), result(2, 'completed')))]
    expect(over.at(-1)).toMatchObject({ status: 'CANCELLED', refunds: [{ chargeId: 'c1', amount: 2 }] })
  })
  test('G11: after a partly paid Continue refunds each file to the charge that paid for it', () => {
    const left = [...ended(['completed', 'interrupted', 'failed', 'failed'])]
    const again = [...left, ...resumedBy(left, retry('again', split(4, 0)))]
    const cancelled = [...again, ...resumedBy(again, cancel)]
    const results = note(2, result(1, 'cancelled'), result(2, 'failed'), result(3, 'cancelled'))
    const over = [...cancelled, ...resumedBy(cancelled, results)]
    expect(over.at(-1)).toMatchObject({
      refunds: [
        { chargeId: 'c1', amount: 2 },
        { chargeId: 'again', amount: 2 },
      ],
    })
  })
  test('G11: a round that could not be queued refunds nothing of an earlier charge', () => {
    const left = [...ended(['completed', 'interrupted', 'failed'])]
    const again = [...left, ...resumedBy(left, retry('again', split(2, 0)))]
    const undo = { type: 'FailDispatch', at: later, actor: 'runs', round: 2, code: 'TOO_LARGE', message: 'x' } as const
    const undone = [...again, ...resumedBy(again, undo)]
    const third = [...undone, ...resumedBy(undone, retry('third', split(2, 0)))]
    const cancelled = [...third, ...resumedBy(third, cancel)]
    const over = [...cancelled, ...resumedBy(cancelled, note(3, result(1, 'cancelled'), result(2, 'cancelled')))]
    expect(over.at(-1)).toMatchObject({
      refunds: [
        { chargeId: 'c1', amount: 2 },
        { chargeId: 'third', amount: 2 },
      ],
    })
  })
  test('of a run that is over is refused', () => {
    given(ended(['completed']))
      .when(cancel)
      .then({ type: 'NotRunning', status: 'COMPLETED' })
  })
  test('a job that somebody else canceled leaves its file pending, to be retried for free', () => {
    const events = historyOf(initiate(2), note(1, result(0, 'completed'), result(1, 'cancelled')))
    expect(stateOf(events)).toMatchObject({ status: 'COMPLETED_WITH_ERRORS' })
    expect(planRetry(fold(workflowRun, events))).toMatchObject({ right: { pending: 1, credits: 0 } })
  })
})

describe('starting', () => {
  test('C16: without files is refused', () => {
    given([]).when(initiate(0)).then({ type: 'NoFiles' })
  })
  test('twice with one charge is one start; with another it is refused', () => {
    given([])
      .when(initiate(1))
      .then([initiated(1)])
      .again()
    given([initiated(1)])
      .when(initiate(1, { charge: { chargeId: 'other', taken: split(2, 0) } }))
      .then({ type: 'AlreadyThere' })
  })
  test('C12: with a charge that was refunded meanwhile is refused, and so is a retry', () => {
    const abandoned = { type: 'RunChargeAbandoned', at: later, actor: 'runs', chargeId: 'c1' } as const
    given([])
      .when({ ...abandoned, type: 'AbandonCharge' })
      .then([abandoned])
      .again()
    given([abandoned]).when(initiate(1)).then({ type: 'ChargeAbandoned' })
    given([initiated(1)])
      .when({ ...abandoned, type: 'AbandonCharge' })
      .then({ type: 'ChargeInUse' })
    given([...ended(['completed', 'failed']), { ...abandoned, chargeId: 'again' }])
      .when(retry('again', split(2, 0)))
      .then({ type: 'ChargeAbandoned' })
  })
})
