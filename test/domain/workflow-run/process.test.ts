import { describe, expect, test } from 'vitest'
import type { ErrorType } from '../../../src/domain/command/events.ts'
import { fold } from '../../../src/domain/decider.ts'
import { workflowRun } from '../../../src/domain/workflow-run/index.ts'
import { jobId, jobName, parseJobName, parseRunStream, runStream } from '../../../src/domain/workflow-run/names.ts'
import { react, resultsOf, resume } from '../../../src/domain/workflow-run/process.ts'
import { at, initiated, jane, RUN } from '../../support/lives/workflow-life.ts'

const by = { at, actor: jane }
const exhausted = (type: ErrorType) =>
  react({ ...by, type: 'CommandExhausted', attempt: 1, msgId: '1', error: { type, code: 'X', message: 'why' } })

describe('how a command ended', () => {
  test('a transient failure fails the file, a permanent one is an error, and one of the bus leaves it pending', () => {
    expect(exhausted('TRANSIENT')).toMatchObject({ outcome: 'failed', errorCode: 'X', errorMessage: 'why' })
    for (const type of ['PERMANENT', 'INVALID_PAYLOAD', 'BUSINESS_RULE'] as const)
      expect(exhausted(type)).toMatchObject({ outcome: 'error' })
    for (const type of ['LEASE_LOST', 'NO_HANDLER'] as const)
      expect(exhausted(type)).toMatchObject({ outcome: 'interrupted' })
  })
  test('a failed attempt that is retried automatically is not a result, and not a retry of the user', () => {
    const error = { type: 'TRANSIENT', code: 'X', message: 'why' } as const
    expect(react({ ...by, type: 'CommandFailed', attempt: 1, msgId: '1', error, retryAt: at })).toBeNull()
  })
  test('a success has its result, from the handler or an operator; a cancelled job has none', () => {
    const none = { news: 'ended', errorCode: null, errorMessage: null, result: null }
    const completed = { ...by, type: 'CommandCompleted', attempt: 1, msgId: '1', result: { pages: 2 } } as const
    expect(react(completed)).toEqual({ ...none, outcome: 'completed', result: { pages: 2 } })
    const settled = { ...by, type: 'OperatorCompleted', resultData: 'by hand' } as const
    expect(react(settled)).toEqual({ ...none, outcome: 'completed', result: 'by hand' })
    for (const type of ['CommandCanceled', 'OperatorCanceled'] as const)
      expect(react({ ...by, type, reason: 'why' })).toEqual({ ...none, outcome: 'cancelled' })
  })
  test('a business rule ends a job, its first delivery begins it, and parking it is no news', () => {
    const error = { type: 'BUSINESS_RULE', code: 'X', message: 'why' } as const
    const ended = { ...by, attempt: 1, msgId: '1', error }
    expect(react({ ...ended, type: 'CommandRejectedByBusinessRule' })).toMatchObject({
      news: 'ended',
      outcome: 'error',
    })
    const read = {
      ...by,
      type: 'CommandReceived',
      attempt: 1,
      total: 1,
      msgId: '1',
      leaseExpiresAt: at,
      lost: false,
    } as const
    expect(react(read)).toEqual({ news: 'begun' })
    expect(react({ ...ended, type: 'CommandMovedToTroubleshooting', reason: 'PERMANENT' })).toBeNull()
    expect(react({ ...ended, type: 'OperatorEndedAttempt', reason: 'it hangs' })).toBeNull()
  })
  test("a batch's error of a file is cut to size, gets a default text, and is dropped for a completed file", () => {
    const news = { news: 'ended', outcome: 'completed', errorCode: null, errorMessage: null } as const
    const files = [
      { index: 0, status: 'completed', errorCode: 'X', errorMessage: 'why' },
      { index: 1, status: 'error', errorCode: 'c'.repeat(201), errorMessage: 'm'.repeat(10_001) },
      { index: 2, status: 'failed', errorCode: 7 },
      { index: 'x', status: 'failed' },
    ]
    expect(resultsOf([0, 1, 2], { ...news, result: { files } })).toEqual([
      { index: 0, outcome: 'completed', errorCode: null, errorMessage: null },
      { index: 1, outcome: 'error', errorCode: 'c'.repeat(200), errorMessage: 'm'.repeat(10_000) },
      { index: 2, outcome: 'failed', errorCode: 'FILE_FAILED', errorMessage: 'the job says that this file failed' },
    ])
    for (const result of [null, 'text', [1], {}])
      expect(resultsOf([0], { ...news, result })).toMatchObject([{ outcome: 'completed' }])
  })
  test("a batch's results of files count only if the batch itself completed", () => {
    const failed = { news: 'ended', outcome: 'failed', errorCode: 'X', errorMessage: 'why' } as const
    expect(resultsOf([0], { ...failed, result: { files: [{ index: 0, status: 'completed' }] } })).toEqual([
      { index: 0, outcome: 'failed', errorCode: 'X', errorMessage: 'why' },
    ])
  })
  test('a batch may give a result for each file; invalid results are ignored', () => {
    const told = {
      files: [{ index: 2, status: 'failed', errorMessage: 'no text' }, { index: 'x' }, null, { index: 4, status: '?' }],
    }
    const news = { news: 'ended', outcome: 'completed', errorCode: null, errorMessage: null } as const
    expect(
      resultsOf([1, 2, 4], { ...news, result: told }).map(({ index, outcome, errorMessage }) => [
        index,
        outcome,
        errorMessage,
      ]),
    ).toEqual([
      [1, 'completed', null],
      [2, 'failed', 'no text'],
      [4, 'completed', null],
    ])
    expect(resultsOf([1], { ...news, result: { files: 'damaged' } })).toMatchObject([{ outcome: 'completed' }])
  })
})

describe('jobs', () => {
  test("a run's stream is named after it; other streams belong to no run", () => {
    expect(parseRunStream(runStream(RUN))).toBe(RUN)
    expect(parseRunStream(`workflow_template-${RUN}`)).toBeNull()
  })
  test('C10: have ids by the original index, and names with the round', () => {
    expect(jobId(RUN, 7)).toBe(`${RUN}:file:7`)
    expect(parseJobName(jobName(jobId(RUN, 7), 3))).toEqual({ runId: RUN, index: 7, round: 3 })
    expect(parseJobName(jobName(jobId(RUN, null), 1))).toEqual({ runId: RUN, index: null, round: 1 })
    for (const text of ['', RUN, `${RUN}:file:x#1`, `${RUN}:file:1`, `x${RUN}#1`]) expect(parseJobName(text)).toBeNull()
  })
  test('C10: in batch mode there is one, with all files of the round', () => {
    const run = fold(workflowRun, [initiated(3, { batchMode: true })])
    const { jobs } = resume(RUN, run)
    expect(jobs.map(({ jobId: id, files }) => [id, files])).toEqual([[RUN, [0, 1, 2]]])
    expect(jobs[0]?.data).toMatchObject({
      runId: RUN,
      files: [{ index: 0, fileName: '0.pdf', input: { page: 0 } }, {}, {}],
    })
  })
  test('what is left to do follows from the state alone', () => {
    const run = fold(workflowRun, [initiated(2)])
    expect(resume(RUN, run)).toMatchObject({ jobs: [{ files: [0] }, { files: [1] }], withdraw: false, refunds: [] })
    expect(resume(RUN, workflowRun.initial)).toEqual({ jobs: [], withdraw: false, refunds: [] })
  })
})
