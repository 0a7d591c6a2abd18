import { describe, expect, test } from 'vitest'
import type { Clock } from '../../src/application/ports/clock.ts'
import { silentLog } from '../../src/application/ports/log.ts'
import {
  AlreadyRunningError,
  ForbiddenError,
  InsufficientCreditsError,
  InvalidInputError,
  InvalidOperationError,
  RunNotFoundError,
  RunNotRetriableError,
} from '../../src/index.ts'
import { createTestRuns, type Fate, files, jane, quickly, type TestRuns } from '../support/runs.ts'

const UNKNOWN = '00000000-0000-4000-8000-00000000dead'

/** An ended run whose files ended in these ways, with `left` credits in the month's pool. */
const endedRun = async (test: TestRuns, fates: readonly Fate[], left: number, more = {}) => {
  await test.grant(2 * fates.length + left)
  const { id } = await test.bus.runs.initiate(jane, {
    templateId: await test.template(),
    files: files(...fates),
    ...more,
  })
  await test.atWork()
  await test.ended(id)
  return id
}

describe('starting a run', () => {
  test('C1: takes maxRetryCount from 1 to 10, and 3 where none is given', async () => {
    const { bus, template } = await createTestRuns()
    const templateId = await template({ creditsPerRun: 0 })
    const start = (maxRetryCount?: number) =>
      bus.runs.initiate(jane, {
        templateId,
        files: files('ok'),
        ...(maxRetryCount === undefined ? {} : { maxRetryCount }),
      })
    expect(await start()).toMatchObject({ maxRetryCount: 3 })
    expect([(await start(1)).maxRetryCount, (await start(10)).maxRetryCount]).toEqual([1, 10])
    for (const wrong of [0, 11, 1.5, '3' as never]) await expect(start(wrong)).rejects.toThrow(InvalidInputError)
  })

  test('C5: without the credits for all files starts nothing and takes nothing', async () => {
    const { bus, template, grant, balance, pool } = await createTestRuns()
    await grant(3)
    const start = bus.runs.initiate(jane, { templateId: await template(), files: files('ok', 'ok') })
    await expect(start).rejects.toThrow(InsufficientCreditsError)
    await expect(start).rejects.toMatchObject({ code: 'INSUFFICIENT_CREDITS', needed: 4, available: 3 })
    expect(await balance()).toBe('3/0')
    expect((await bus.runs.list(jane)).items).toEqual([])
    expect((await pool.query(`select from command_bus_event where type = 'CommandSent'`)).rowCount).toBe(0)
  })

  test('C16: with an empty or damaged list of files is refused', async () => {
    const { bus, template } = await createTestRuns()
    const templateId = await template()
    for (const wrong of [[], 'x', [null], [{ input: 1 }], [{ fileName: '' }], [{ fileName: 'a', input: () => {} }]]) {
      await expect(bus.runs.initiate(jane, { templateId, files: wrong as never })).rejects.toThrow(InvalidInputError)
    }
  })

  test('by a BUBBLE_ADMIN is a test run: free because of the role, whatever the request says', async () => {
    const { bus, template } = await createTestRuns()
    const templateId = await template()
    const as = (role: 'BUBBLE_ADMIN' | 'CUSTOMER_ADMIN') => bus.as({ subject: 'x', tenant: 't1', roles: [role] }).runs
    const start = { templateId, files: files('ok'), testRun: true }
    expect(await as('BUBBLE_ADMIN').initiate(start)).toMatchObject({ testRun: true, creditsConsumed: 0 })
    await expect(as('CUSTOMER_ADMIN').initiate(start)).rejects.toThrow(InsufficientCreditsError)
  })

  test('of an archived template, or of one of another tenant, is refused', async () => {
    const { bus, template } = await createTestRuns()
    const templateId = await template()
    const joe = { subject: 'joe', tenant: 't2' }
    await expect(bus.runs.initiate(joe, { templateId, files: files('ok') })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await bus.runs.archiveTemplate(jane, templateId)
    await expect(bus.runs.initiate(jane, { templateId, files: files('ok') })).rejects.toThrow(InvalidOperationError)
  })
})

describe('Continue', () => {
  test('C3: is refused while the run is queued, once it is completed, and once it is cancelled', async () => {
    const setup = await createTestRuns()
    const { bus, template, grant, atWork, ended } = setup
    await grant(10)
    const templateId = await template()
    const { id } = await bus.runs.initiate(jane, { templateId, files: files('ok') })
    const other = await bus.runs.initiate(jane, { templateId, files: files('ok') })
    await expect(bus.runs.retryFailed(jane, id)).rejects.toThrow(AlreadyRunningError)
    expect(await bus.runs.previewRetry(jane, id)).toMatchObject({ blockedBy: 'ALREADY_RUNNING', creditsNeeded: 0 })
    await bus.runs.cancel(jane, other.id)
    await atWork()
    await ended(id)
    for (const [run, reason] of [
      [id, 'COMPLETED'],
      [other.id, 'CANCELLED'],
    ] as const) {
      await expect(bus.runs.retryFailed(jane, run)).rejects.toMatchObject({ code: 'INVALID_REQUEST', reason })
    }
  })

  test('C3: with only permanent errors is refused', async () => {
    const setup = await createTestRuns()
    const id = await endedRun(setup, ['ok', 'error'], 0)
    await expect(setup.bus.runs.retryFailed(jane, id)).rejects.toMatchObject({ reason: 'NOTHING_TO_RETRY' })
  })

  test('C5: without the credits for all failed files changes nothing', async () => {
    const setup = await createTestRuns()
    const { bus, balance } = setup
    const id = await endedRun(setup, ['ok', 'failed', 'failed'], 3)
    const before = await bus.runs.get(jane, id)
    await expect(bus.runs.retryFailed(jane, id)).rejects.toThrow(InsufficientCreditsError)
    expect(await bus.runs.previewRetry(jane, id)).toMatchObject({ blockedBy: 'INSUFFICIENT_CREDITS', creditsNeeded: 4 })
    expect(await bus.runs.get(jane, id)).toEqual(before)
    expect(await balance()).toBe('3/0')
  })

  test('C6: is refused as a whole when one file has been continued as often as it may', async () => {
    const setup = await createTestRuns()
    const { bus, ended, balance } = setup
    const id = await endedRun(setup, ['ok', 'failed'], 10, { maxRetryCount: 1 })
    await bus.runs.retryFailed(jane, id)
    await ended(id, 2)
    await expect(bus.runs.retryFailed(jane, id)).rejects.toThrow('Max retry count exceeded for one or more files')
    expect(await balance()).toBe('8/0')
  })

  test('C7: twenty at once, from two processes, charge once; one gets the run, the others that it is running', async () => {
    const setup = await createTestRuns()
    const { bus, another, balance, pool } = setup
    await setup.grant(106)
    const { id } = await bus.runs.initiate(jane, {
      templateId: await setup.template(),
      files: files('ok', 'failed', 'failed'),
    })
    const worker = await setup.atWork()
    await setup.ended(id)
    // the second round has no worker: it does not end before all calls are made
    await worker.stop()
    const other = another()
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? bus : other).runs.retryFailed(jane, id)),
    )
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toBeInstanceOf(AlreadyRunningError)
    expect(await balance()).toBe('96/0')
    const sent = await pool.query(
      `select from command_bus_event where type = 'CommandSent' and data#>>'{data,round}' = '2'`,
    )
    expect(sent.rowCount).toBe(2)
  })

  test('C11: is possible at the same price after the template was archived or its price edited', async () => {
    const setup = await createTestRuns()
    const { bus, balance, ended } = setup
    const id = await endedRun(setup, ['ok', 'failed'], 10)
    const { templateId } = await bus.runs.get(jane, id)
    await bus.runs.editTemplate(jane, templateId, { creditsPerRun: 9 })
    await bus.runs.archiveTemplate(jane, templateId)
    expect(await bus.runs.retryFailed(jane, id)).toMatchObject({ status: 'RUNNING', creditsConsumed: 6 })
    await ended(id, 2)
    expect(await balance()).toBe('8/0')
  })

  test('C4, C9: files that a failure of the bus left pending are retried for free, and use up no retry', async () => {
    const setup = await createTestRuns()
    const { bus, template, grant, atWork, ended, balance } = setup
    await grant(6)
    const { id } = await bus.runs.initiate(jane, { templateId: await template(), files: files('ok', 'ok', 'ok') })
    const jobs = (await bus.queryCommands({ domain: 'workflow', correlationId: id })).items
    for (const { commandId } of jobs.slice(0, 2)) await bus.cancel('workflow', commandId, { actor: 'somebody' })
    await atWork()
    const run = await ended(id)
    expect(run.status).toBe('COMPLETED_WITH_ERRORS')
    expect(run.perFileResults.filter(({ status }) => status === 'pending')).toHaveLength(2)
    expect(await bus.runs.previewRetry(jane, id)).toMatchObject({ files: 2, pendingFiles: 2, creditsNeeded: 0 })
    await bus.runs.retryFailed(jane, id)
    expect(await ended(id, 2)).toMatchObject({ status: 'COMPLETED', creditsConsumed: 6, completedJobs: 2 })
    expect((await bus.runs.get(jane, id)).perFileResults.map(({ retryAttempt }) => retryAttempt)).toEqual([0, 0, 0])
    expect(await balance()).toBe('0/0')
  })

  test('C16: of a run whose results are damaged in the log is refused with a reason', async () => {
    const setup = await createTestRuns()
    const { pool, another } = setup
    const id = await endedRun(setup, ['ok', 'failed'], 10)
    await pool.query('alter table command_bus_event disable trigger user')
    await pool.query(`update command_bus_event set data = data - 'files' where stream = $1 and revision = 0`, [
      `workflow_run-${id}`,
    ])
    const retry = another().runs.retryFailed(jane, id)
    await expect(retry).rejects.toThrow(RunNotRetriableError)
    await expect(retry).rejects.toMatchObject({ code: 'INVALID_REQUEST', message: expect.stringContaining('damaged') })
  })
})

describe('jobs', () => {
  test('C10: keep the index of their file when others are skipped, and run again in each round', async () => {
    const setup = await createTestRuns()
    const { bus, ended, pool } = setup
    const id = await endedRun(setup, ['ok', 'failed', 'ok', 'failed'], 10)
    await bus.runs.retryFailed(jane, id)
    await ended(id, 2)
    const { rows } = await pool.query(
      `select data#>>'{data,jobId}' as job, data#>>'{data,round}' as round, data#>>'{data,fileName}' as file, count(*)::int as n
       from command_bus_event where type = 'CommandSent' group by 1, 2, 3 order by 2, 1`,
    )
    expect(rows.filter(({ round }) => round === '2')).toEqual([
      { job: `${id}:file:1`, round: '2', file: '1-failed.pdf', n: 1 },
      { job: `${id}:file:3`, round: '2', file: '3-failed.pdf', n: 1 },
    ])
    expect(new Set(rows.map(({ n }) => n))).toEqual(new Set([1]))
  })

  test('C10: in batch mode there is one job in a round, with the id of the run and a result for each file', async () => {
    const setup = await createTestRuns()
    const { bus, template, grant, atWork, ended, pool } = setup
    await grant(20)
    const templateId = await template({ batchMode: true })
    const { id } = await bus.runs.initiate(jane, { templateId, files: files('ok', 'failed', 'error') })
    await atWork()
    const run = await ended(id)
    expect(run.perFileResults.map(({ status, jobId }) => [status, jobId])).toEqual([
      ['completed', id],
      ['failed', id],
      ['error', id],
    ])
    await bus.runs.retryFailed(jane, id)
    await ended(id, 2)
    const { rows } = await pool.query(
      `select data#>>'{data,jobId}' as job, jsonb_array_length(data#>'{data,files}') as files
       from command_bus_event where type = 'CommandSent' order by position`,
    )
    expect(rows).toEqual([
      { job: id, files: 3 },
      { job: id, files: 1 },
    ])
  })

  test('a command that falsely claims to be a job of a run changes nothing', async () => {
    const { bus, template, work, until } = await createTestRuns()
    const { id } = await bus.runs.initiate(jane, {
      templateId: await template({ creditsPerRun: 0 }),
      files: files('ok'),
    })
    const forged = await bus.send('workflow', 'Other', {}, { causationId: `${id}:file:0#1` })
    await work({ domain: 'workflow', handlers: { Other: () => 1, '*': () => new Promise(() => {}) }, concurrency: 5 })
    await until(
      () => bus.getCommand('workflow', forged.commandId),
      command => command?.status === 'COMPLETED',
    )
    void bus.runs.run()
    const run = await until(
      () => bus.runs.get(jane, id),
      ({ status }) => status === 'RUNNING',
    )
    expect(run).toMatchObject({ completedJobs: 0, endedAt: null })
    expect(
      (
        await until(
          () => bus.runs.get(jane, id),
          seen => seen.perFileResults[0]?.status !== 'pending',
        )
      ).perFileResults[0]?.status,
    ).toBe('processing')
  })
})

describe('tenants', () => {
  test("C13: another tenant's run is forbidden and the attempt is logged; an unknown run is not found", async () => {
    const warned: object[] = []
    const log = { ...silentLog, warn: (fields: object) => void warned.push(fields) }
    const { bus, template } = await createTestRuns({ log })
    const { id } = await bus.runs.initiate(jane, {
      templateId: await template({ creditsPerRun: 0 }),
      files: files('ok'),
    })
    const eve = { subject: 'eve', tenant: 't2' }
    for (const call of [bus.runs.get, bus.runs.previewRetry, bus.runs.retryFailed, bus.runs.cancel]) {
      await expect(call(eve, id)).rejects.toThrow(ForbiddenError)
      await expect(call(eve, UNKNOWN)).rejects.toThrow(RunNotFoundError)
    }
    expect(warned).toHaveLength(4)
    expect(warned[0]).toMatchObject({ security: 'cross-tenant access', subject: 'eve', tenant: 't2', ownedBy: 't1' })
    expect((await bus.runs.list(eve)).items).toEqual([])
    expect((await bus.runs.list({ subject: 'root', tenant: null })).items).toHaveLength(1)
  })
})

describe('the end of a run', () => {
  test('C14: without a completed file is FAILED: everything is refunded, once, and the run may be continued', async () => {
    const setup = await createTestRuns()
    const { bus, template, grant, atWork, ended, balance } = setup
    await grant(3, 10)
    const { id } = await bus.runs.initiate(jane, { templateId: await template(), files: files('failed', 'failed') })
    await atWork()
    expect(await ended(id)).toMatchObject({ status: 'FAILED', creditsConsumed: 0, creditsFromMonthly: 0 })
    expect(await balance()).toBe('3/10')
    await bus.runs.retryFailed(jane, id)
    await ended(id, 2)
    expect(await balance()).toBe('3/10')
    const ledger = (await bus.credits.entries('t1')).items
    expect(ledger.map(({ kind, monthly, purchased }) => [kind, monthly, purchased])).toEqual([
      ['REFUND', 3, 1],
      ['CHARGE', -3, -1],
      ['REFUND', 3, 1],
      ['CHARGE', -3, -1],
      ['GRANT', 0, 10],
      ['GRANT', 3, 0],
    ])
  })

  test('C14: in another month refunds the monthly part to the month it came from', async () => {
    let now = new Date('2026-11-30T23:59:59Z')
    const clock: Clock = { now: () => now, random: Math.random }
    const { bus, template, grant, atWork, ended, balance } = await createTestRuns({ clock, workflows: quickly })
    await grant(3, 10)
    const { id } = await bus.runs.initiate(jane, { templateId: await template(), files: files('failed', 'failed') })
    now = new Date('2026-12-01T00:00:01Z')
    await atWork()
    expect(await ended(id)).toMatchObject({ status: 'FAILED', creditsConsumed: 0 })
    expect(await balance()).toBe('0/10')
    expect((await bus.credits.entries('t1')).items[0]).toMatchObject({
      kind: 'REFUND',
      month: '2026-11',
      monthly: 3,
      monthlyLeft: 3,
    })
  })

  test("C14: an error's text is cut to 200 characters in the lists and kept whole in the log", async () => {
    const { bus, template, atWork, ended, pool } = await createTestRuns()
    const behavior = { permanent: true, errorMessage: 'x'.repeat(900) }
    const { id } = await bus.runs.initiate(jane, {
      templateId: await template({ creditsPerRun: 0 }),
      files: [{ fileName: 'a', input: { behavior } }],
    })
    await atWork()
    expect((await ended(id)).perFileResults[0]?.errorMessage).toBe('x'.repeat(200))
    const { rows } = await pool.query(
      `select data#>>'{results,0,errorMessage}' as whole from command_bus_event where type = 'RunFilesNoted'`,
    )
    expect(rows[0].whole).toBe('x'.repeat(900))
  })

  test('G11: by cancelling after a free Continue refunds files that no worker started', async () => {
    const { bus, template, grant, ended, atWork, balance, until } = await createTestRuns()
    await grant(6)
    const { id } = await bus.runs.initiate(jane, { templateId: await template(), files: files('ok', 'ok', 'ok') })
    const jobs = (await bus.queryCommands({ domain: 'workflow', correlationId: id })).items
    for (const { commandId } of jobs.slice(0, 2)) await bus.cancel('workflow', commandId, { actor: 'somebody' })
    const { stop } = await atWork()
    expect(await ended(id)).toMatchObject({ status: 'COMPLETED_WITH_ERRORS' })
    await stop()
    expect(await bus.runs.retryFailed(jane, id)).toMatchObject({ status: 'RUNNING', creditsConsumed: 6 })
    expect(await bus.runs.cancel(jane, id, { reason: 'wrong files' })).toMatchObject({ status: 'CANCELLED' })
    await atWork()
    expect(await ended(id, 2)).toMatchObject({ status: 'CANCELLED', creditsConsumed: 2 })
    await until(balance, left => left === '4/0')
  })

  test('by cancelling cancels and refunds files that no worker started, and lets the rest end', async () => {
    const { bus, template, grant, ended, balance, work, until } = await createTestRuns()
    await grant(6)
    let release = (): void => {}
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    const { id } = await bus.runs.initiate(jane, { templateId: await template(), files: files('ok', 'ok', 'ok') })
    await work({ domain: 'workflow', handlers: { '*': () => held }, concurrency: 1 })
    void bus.runs.run()
    await until(
      () => bus.runs.get(jane, id),
      run => run.perFileResults.some(({ status }) => status === 'processing'),
    )
    expect(await bus.runs.cancel(jane, id, { reason: 'wrong files' })).toMatchObject({ status: 'CANCELLED' })
    release()
    const run = await ended(id)
    expect(run).toMatchObject({ status: 'CANCELLED', completedJobs: 1, creditsConsumed: 2 })
    await until(balance, left => left === '4/0')
  })
})
