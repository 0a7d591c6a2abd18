import { describe, expect, test } from 'vitest'
import { fold } from '../../../src/domain/decider.ts'
import type { RunEvent } from '../../../src/domain/workflow-run/events.ts'
import { workflowRun } from '../../../src/domain/workflow-run/index.ts'
import type { RunIntent } from '../../../src/domain/workflow-run/intents.ts'
import { fitting, LARGEST_LIST, piecesOf } from '../../../src/domain/workflow-run/pieces.ts'
import { resume } from '../../../src/domain/workflow-run/process.ts'
import { scenarios } from '../../support/lives/decider.ts'
import {
  historyOf,
  initiate,
  initiated,
  jane,
  later,
  note,
  RUN,
  result,
  retry,
  split,
} from '../../support/lives/workflow-life.ts'

const given = scenarios(workflowRun)
const runs = { at: later, actor: 'runs' } as const
const cancel: RunIntent = { type: 'Cancel', at: later, actor: jane, reason: null }
const back = (...chargeIds: readonly string[]): RunIntent => ({
  ...runs,
  type: 'NoteRefund',
  returned: chargeIds.map(chargeId => ({ chargeId, returned: split(2, 0) })),
})
const cannotQueue = (round: number): RunIntent => ({
  ...runs,
  type: 'FailDispatch',
  round,
  code: 'TOO_LARGE',
  message: 'too large',
})
const stateOf = (events: readonly RunEvent[]) => fold(workflowRun, events)

describe('the first delivery to a worker', () => {
  const begin = (round: number): RunIntent => ({ ...runs, type: 'Begin', round })

  test('makes a queued run RUNNING, once', () => {
    given([initiated(1)])
      .when(begin(1))
      .then([{ ...runs, type: 'RunBegan', round: 1 }])
      .again()
    expect(stateOf(historyOf(initiate(1), begin(1)))).toMatchObject({ status: 'RUNNING', updatedAt: later })
  })

  test('changes nothing in another round, nor in a run that was cancelled or does not exist', () => {
    given([initiated(1)])
      .when(begin(2))
      .then([])
    given(historyOf(initiate(1), cancel))
      .when(begin(1))
      .then([])
    given([]).when(begin(1)).then({ type: 'NotFound' })
  })
})

describe('a start', () => {
  test('with a charge of another amount is refused, and says the amount', () => {
    given([])
      .when(initiate(2, { charge: { chargeId: 'c1', taken: split(1, 2) } }))
      .then({ type: 'ChargeDoesNotFit', needed: 4 })
    given([])
      .when(initiate(2, { charge: { chargeId: 'c1', taken: split(1, 3) } }))
      .then([initiated(2, { charge: { chargeId: 'c1', taken: split(1, 3) } })])
  })

  test('that is free, of a run that exists, is refused', () => {
    const free = { testRun: true, charge: null }
    given([initiated(1, free)])
      .when(initiate(1, free))
      .then({ type: 'AlreadyThere' })
  })

  test('repeated after a paid Continue is still the same start', () => {
    given(historyOf(initiate(2), note(1, result(0, 'completed'), result(1, 'failed')), retry('again', split(2, 0))))
      .when(initiate(2))
      .then([])
  })
})

describe('the cost of a run', () => {
  test('is recorded by pool at a Continue', () => {
    const first = { charge: { chargeId: 'c1', taken: split(1, 3) } }
    const history = historyOf(
      initiate(2, first),
      note(1, result(0, 'completed'), result(1, 'failed')),
      retry('again', split(0, 2)),
    )
    expect(history.at(-1)).toMatchObject({ creditsFromMonthly: 1, creditsFromPurchased: 5 })
  })

  test('of several charges is reduced by the refunded ones', () => {
    const twice = historyOf(
      initiate(1),
      note(1, result(0, 'failed')),
      retry('again', split(2, 0)),
      note(2, result(0, 'failed')),
    )
    expect(stateOf(twice)).toMatchObject({ owed: [{ chargeId: 'c1' }, { chargeId: 'again' }] })
    const once = [...twice, { ...runs, type: 'RunRefunded', settled: false } as const]
    given(twice)
      .when(back('again', 'unknown'))
      .then([
        {
          ...once.at(-1),
          returned: [{ chargeId: 'again', returned: split(2, 0) }],
          creditsFromMonthly: 2,
          creditsFromPurchased: 0,
        } as RunEvent,
      ])
      .again()
    const after = historyOf(
      initiate(1),
      note(1, result(0, 'failed')),
      retry('again', split(2, 0)),
      note(2, result(0, 'failed')),
      back('again'),
    )
    expect(stateOf(after)).toMatchObject({
      owed: [{ chargeId: 'c1' }],
      charges: [{ returned: null }, { returned: split(2, 0) }],
    })
    given(after)
      .when(back('c1'))
      .then([
        {
          ...runs,
          type: 'RunRefunded',
          returned: [{ chargeId: 'c1', returned: split(2, 0) }],
          creditsFromMonthly: 0,
          creditsFromPurchased: 0,
          settled: true,
        },
      ])
  })

  test('is refunded once: what is already owed or refunded is not owed again', () => {
    const failedTwice = historyOf(
      initiate(1),
      note(1, result(0, 'failed')),
      retry('again', split(2, 0)),
      note(2, result(0, 'failed')),
    )
    expect(failedTwice.at(-1)).toMatchObject({ type: 'RunEnded', refunds: [{ chargeId: 'again', amount: 2 }] })
  })
})

describe('a run is settled', () => {
  test('when it ends without a debt', () => {
    const [ended] = historyOf(initiate(1), note(1, result(0, 'completed'))).slice(-1)
    expect(ended).toMatchObject({ type: 'RunEnded', refunds: [], settled: true })
  })

  test('not when it ends and still owes a refund, from this round or an earlier one', () => {
    const failed = historyOf(initiate(1), note(1, result(0, 'failed')))
    expect(failed.at(-1)).toMatchObject({ refunds: [{ chargeId: 'c1' }], settled: false })
    const later = historyOf(
      initiate(1),
      note(1, result(0, 'failed')),
      retry('again', split(2, 0)),
      note(2, result(0, 'completed')),
    )
    expect(later.at(-1)).toMatchObject({ type: 'RunEnded', refunds: [], settled: false })
  })

  test('not by a refund while files are open again', () => {
    const history = historyOf(initiate(1), note(1, result(0, 'failed')), retry('again', split(2, 0)), back('c1'))
    expect(history.at(-1)).toMatchObject({ type: 'RunRefunded', settled: false })
  })

  test('when a free round cannot be queued and nothing is owed', () => {
    const left = [initiate(2), note(1, result(0, 'completed'), result(1, 'interrupted'))]
    const free = historyOf(...left, retry('again', null), cannotQueue(2))
    expect(free.at(-1)).toMatchObject({ type: 'RunDispatchFailed', refunds: [], settled: true })
    const first = historyOf(initiate(1), cannotQueue(1))
    expect(first.at(-1)).toMatchObject({
      refunds: [{ chargeId: 'c1', amount: 2, reason: 'the jobs of round 1 could not be queued' }],
      settled: false,
    })
  })
})

describe('a round that cannot be queued', () => {
  test('of another round, or of a run that is over, changes nothing', () => {
    given([initiated(1)])
      .when(cannotQueue(2))
      .then([])
    given(historyOf(initiate(1), note(1, result(0, 'completed'))))
      .when(cannotQueue(1))
      .then([])
  })

  test('with more files than fit into one event is undone by several events: the last one ends the run', () => {
    const long = { ...cannotQueue(1), message: 'x'.repeat(LARGEST_LIST / 2) } as RunIntent
    const events = [...historyOf(initiate(3), long)]
    expect(events.at(-1)).toMatchObject({ status: 'QUEUED', refunds: [], settled: false, restored: [{ index: 0 }] })
    expect(stateOf(events)).toMatchObject({ status: 'QUEUED', endedAt: null })
    const all = historyOf(initiate(3), long, long, long)
    expect(all.at(-1)).toMatchObject({
      status: 'FAILED',
      refunds: [{ chargeId: 'c1', amount: 6 }],
      restored: [{ index: 2 }],
    })
    expect(all).toHaveLength(4)
    expect(stateOf(all)).toMatchObject({ status: 'FAILED', endedAt: later })
  })
})

describe('a cancelled run', () => {
  test('cancels its jobs, counts results that still arrive, and is settled when nothing is owed', () => {
    const history = historyOf(initiate(2), cancel, note(1, result(0, 'completed')))
    expect(history.at(-1)).toMatchObject({
      type: 'RunFilesNoted',
      status: 'CANCELLED',
      completedJobs: 1,
      failedJobs: 0,
    })
    expect(resume(RUN, stateOf(history))).toMatchObject({ withdraw: true, jobs: [{ files: [1] }] })
    expect(historyOf(initiate(2), cancel, note(1, result(0, 'completed'), result(1, 'error'))).slice(-2)).toMatchObject(
      [
        { completedJobs: 1, failedJobs: 1 },
        { status: 'CANCELLED', refunds: [], settled: true },
      ],
    )
  })

  test('does not refund twice what it owes from an earlier round', () => {
    const history = historyOf(
      initiate(1),
      note(1, result(0, 'interrupted')),
      retry('again', split(2, 0)),
      cancel,
      note(2, result(0, 'cancelled')),
    )
    expect(history.at(-1)).toMatchObject({
      refunds: [{ chargeId: 'again', amount: 2, reason: 'cancelled before 1 files were worked on' }],
      settled: false,
    })
  })
})

test('failed files and errors are counted together, apart from completed ones', () => {
  const [first, second] = [
    note(1, result(0, 'failed'), result(1, 'error')),
    note(1, result(2, 'failed'), result(3, 'interrupted')),
  ]
  expect(stateOf(historyOf(initiate(5), first))).toMatchObject({ completedJobs: 0, failedJobs: 2 })
  expect(stateOf(historyOf(initiate(5), first, second))).toMatchObject({ completedJobs: 0, failedJobs: 3 })
})

test('after everything was refunded no file counts as paid: a free Continue does not change that', () => {
  const paidBy = (events: readonly RunEvent[]) => {
    const run = stateOf(events)
    return run.status === 'NONE' ? [] : run.files.map(file => file.paidBy)
  }
  expect(paidBy(historyOf(initiate(2), note(1, result(0, 'interrupted'))))).toEqual(['c1', 'c1'])
  expect(paidBy(historyOf(initiate(2), note(1, result(0, 'interrupted'), result(1, 'failed'))))).toEqual([null, null])
})

describe('lists in events', () => {
  const item = (size: number) => 'x'.repeat(size - 2)

  test('are pieces with as many items as fit, and at least one', () => {
    expect(fitting([])).toEqual([])
    const half = item(LARGEST_LIST / 2 - 1)
    expect(fitting([half, half])).toHaveLength(2)
    expect(fitting([half, `${half}x`])).toHaveLength(1)
    expect(fitting([item(LARGEST_LIST * 2), 'b'])).toHaveLength(1)
  })

  test('are pieces that together have each item once, in order', () => {
    const items = Array.from({ length: 7 }, (_, i) => `${i}${item(LARGEST_LIST / 3)}`)
    const pieces = piecesOf(items)
    expect(pieces.flat()).toEqual(items)
    expect(pieces.map(piece => piece.length)).toEqual([2, 2, 2, 1])
    expect(piecesOf([])).toEqual([])
  })
})
