import { afterEach, describe, expect, test } from 'vitest'
import type { Workflows } from '../../src/compose/workflows.ts'
import { AlreadyRunningError } from '../../src/index.ts'
import { createTestRuns, failedRun, jane, type TestRuns } from '../support/runs.ts'
import { createSeparateLogWorkflows, type SeparateLogOptions } from '../support/separate-log-workflows.ts'

const open: Workflows[] = []
afterEach(async () => {
  for (const { runner } of open.splice(0)) await runner.close()
})

/** Workflows on a log without appends to several streams, beside a bus with workers. */
const onSeparateLog = (setup: TestRuns, options: SeparateLogOptions = {}): Workflows => {
  const workflows = createSeparateLogWorkflows(setup.pool, options)
  open.push(workflows)
  return workflows
}

describe('where the log takes one stream at a time', () => {
  test('C12: charge, resume and jobs are separate appends, and two calls at once charge once', async () => {
    const setup = await createTestRuns()
    const id = await failedRun(setup)
    const [one, other] = [onSeparateLog(setup), onSeparateLog(setup)]
    const answers = await Promise.allSettled([one.runs.retryFailed(jane, id), other.runs.retryFailed(jane, id)])
    const refused = answers.filter(answer => answer.status === 'rejected')
    expect(refused.map(({ reason }) => reason)).toEqual([expect.any(AlreadyRunningError)])
    expect(await setup.balance()).toBe('0/6')
    await setup.atWork()
    await setup.ended(id, 2)
  })

  test('C12: when jobs can never be queued, both pools are refunded, the files are reset, and the first error is reported', async () => {
    const setup = await createTestRuns()
    const id = await failedRun(setup)
    const before = await setup.bus.runs.get(jane, id)
    const broken = onSeparateLog(setup, {
      before: events => {
        if (events.some(({ type }) => type === 'CommandSent')) throw new Error('the job is too large')
      },
    })
    await expect(broken.runs.retryFailed(jane, id)).rejects.toThrow('the job is too large')
    expect(await setup.balance()).toBe('2/8')
    const after = await setup.bus.runs.get(jane, id)
    const ofFiles = ({ perFileResults }: typeof after) => perFileResults
    expect(ofFiles(after)).toEqual(ofFiles(before))
    expect(after).toMatchObject({ status: 'COMPLETED_WITH_ERRORS', creditsConsumed: 6 })
    const kinds = (await setup.bus.credits.entries('t1')).items.map(({ kind, monthly, purchased }) => [
      kind,
      monthly,
      purchased,
    ])
    expect(kinds.slice(0, 2)).toEqual([
      ['REFUND', 2, 2],
      ['CHARGE', -2, -2],
    ])
  })

  test('C12: the first error is reported also when the refund fails, and the refund is made later', async () => {
    const setup = await createTestRuns()
    const id = await failedRun(setup)
    let isBroken = true
    const told: object[] = []
    const log = { debug: () => {}, info: () => {}, warn: () => {}, error: (fields: object) => void told.push(fields) }
    const broken = onSeparateLog(setup, {
      log,
      before: events => {
        if (events.some(({ type }) => type === 'CommandSent')) throw new Error('the job is too large')
        if (isBroken && events.some(({ type }) => type === 'CreditsRefunded')) throw new Error('the ledger is away')
      },
    })
    await expect(broken.runs.retryFailed(jane, id)).rejects.toThrow('the job is too large')
    expect(told).toHaveLength(1)
    expect(await setup.balance()).toBe('0/6')
    isBroken = false
    void broken.runner.run()
    await setup.until(setup.balance, left => left === '2/8')
    // the run is changed after the ledger
    await setup.until(
      () => setup.bus.runs.get(jane, id),
      run => run.status === 'COMPLETED_WITH_ERRORS' && run.creditsConsumed === 6,
    )
  })

  test('C12: while the queue is only away, the run goes on and its jobs are queued later', async () => {
    const setup = await createTestRuns()
    const id = await failedRun(setup)
    let isAway = true
    const away = onSeparateLog(setup, {
      isAway: () => isAway,
      before: events => {
        if (isAway && events.some(({ type }) => type === 'CommandSent')) throw new Error('the log is away')
      },
    })
    expect(await away.runs.retryFailed(jane, id)).toMatchObject({ status: 'RUNNING', round: 2 })
    isAway = false
    void away.runner.run()
    await setup.atWork()
    expect(await setup.ended(id, 2)).toMatchObject({ failedJobs: 2, creditsConsumed: 10 })
  })
})
