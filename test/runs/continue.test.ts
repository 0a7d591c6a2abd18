import { describe, expect, test } from 'vitest'
import { PermanentCommandError } from '../../src/index.ts'
import { createTestRuns, files, jane } from '../support/runs.ts'

describe('a run over many files', () => {
  test('C4, C5, C7, C8, C9, C14: fails in part, is continued at the price of what failed, and ends', async () => {
    const { bus, template, grant, ended, atWork, balance, pool, until } = await createTestRuns()
    await grant(7, 10)
    const templateId = await template()
    const started = await bus.runs.initiate(jane, { templateId, files: files('ok', 'failed', 'error', 'failed') })
    expect(started).toMatchObject({
      status: 'QUEUED',
      totalJobs: 4,
      creditsConsumed: 8,
      creditsFromMonthly: 7,
      creditsFromPurchased: 1,
    })
    await until(balance, left => left === '0/9')
    await atWork()
    const first = await ended(started.id)
    expect(first).toMatchObject({ status: 'COMPLETED_WITH_ERRORS', completedJobs: 1, failedJobs: 3, round: 1 })
    expect(first.perFileResults.map(file => [file.status, file.errorMessage])).toEqual([
      ['completed', null],
      ['failed', 'the model is busy'],
      ['error', 'no text in it'],
      ['failed', 'the model is busy'],
    ])
    const preview = { id: started.id, files: 2, failedFiles: 2, pendingFiles: 0, creditsNeeded: 4, creditsAvailable: 9 }
    expect(await bus.runs.previewRetry(jane, started.id)).toEqual({ ...preview, blockedBy: null, message: null })
    const again = await bus.runs.retryFailed(jane, started.id)
    expect(again).toMatchObject({
      status: 'RUNNING',
      round: 2,
      roundJobs: 2,
      completedJobs: 0,
      failedJobs: 0,
      totalJobs: 4,
      creditsConsumed: 12,
    })
    const second = await ended(started.id, 2)
    expect(second).toMatchObject({ status: 'COMPLETED_WITH_ERRORS', completedJobs: 0, failedJobs: 2 })
    expect(second.perFileResults.map(file => file.retryAttempt)).toEqual([0, 1, 0, 1])
    await until(balance, left => left === '0/5')
    const sent = await pool.query(
      `select data->'data'->>'jobId' as job, (data->'data'->>'round')::int as round from command_bus_event
       where type = 'CommandSent' order by position`,
    )
    expect(
      sent.rows
        .filter(row => row.round === 2)
        .map(row => row.job)
        .sort(),
    ).toEqual([`${started.id}:file:1`, `${started.id}:file:3`])
  })

  test('C6, G11: after an interruption of the last paid retry continues with the same retry, and is not charged again', async () => {
    const setup = await createTestRuns()
    const { bus, template, grant, atWork, ended, balance, until } = setup
    await grant(6)
    const { id } = await bus.runs.initiate(jane, {
      templateId: await template(),
      files: files('ok', 'failed'),
      maxRetryCount: 1,
    })
    const { stop } = await atWork()
    await ended(id)
    await stop()
    await bus.runs.retryFailed(jane, id)
    const jobs = await until(
      () => bus.queryCommands({ domain: 'workflow', correlationId: id, status: 'PENDING' }),
      ({ items }) => items.length === 1,
    )
    for (const { commandId } of jobs.items) await bus.cancel('workflow', commandId, { actor: 'somebody' })
    await atWork()
    expect((await ended(id, 2)).perFileResults[1]).toMatchObject({ status: 'pending', retryAttempt: 1 })
    expect(await bus.runs.previewRetry(jane, id)).toMatchObject({ pendingFiles: 1, creditsNeeded: 0, blockedBy: null })
    await bus.runs.retryFailed(jane, id)
    expect((await ended(id, 3)).perFileResults[1]).toMatchObject({ status: 'failed', retryAttempt: 1 })
    await expect(bus.runs.retryFailed(jane, id)).rejects.toMatchObject({ reason: 'MAX_RETRY_COUNT' })
    await until(balance, left => left === '0/0')
  })

  test('R20, G11: ends although its many files all fail with long errors, more than fit into one append', async () => {
    const { bus, pool, template, grant, ended, work, until } = await createTestRuns()
    const count = 400
    await grant(2 * count)
    const { id } = await bus.runs.initiate(jane, {
      templateId: await template(),
      files: Array.from({ length: count }, (_, i) => ({ fileName: `${i}.pdf`, input: {} })),
    })
    const refuse = () => {
      throw new PermanentCommandError('UNREADABLE', '読めません。'.repeat(1_500))
    }
    await work({ domain: 'workflow', handlers: { '*': refuse }, concurrency: 50 })
    // only then are results recorded, all at once
    await until(
      () => pool.query(`select from command_bus_command where status in ('FAILED', 'IN_TROUBLESHOOTING_QUEUE')`),
      ({ rowCount }) => rowCount === count,
    )
    const following = new AbortController()
    const followed = bus.runs.run(following.signal)
    const run = await ended(id)
    following.abort()
    await followed
    expect(run.status).toBe('FAILED')
    expect(run.perFileResults.map(({ status }) => status)).toEqual(Array.from({ length: count }, () => 'error'))
  })
})
