import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { createTestRuns, failedRun, files, jane, type TestRuns } from '../support/runs.ts'
import { createSeparateLogWorkflows } from '../support/separate-log-workflows.ts'
import { compiledModules } from '../support/servers/compiled.ts'

const script = fileURLToPath(new URL('./runs-child.mjs', import.meta.url))
const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const process_ = (setup: TestRuns, what: 'charge' | 'resume' | 'follow', runId = '') => {
  const args = [script, compiledModules(), setup.database.url, what, runId]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return { child, gone: once(child, 'exit') }
}

/** Every job of every round is there once, and the ledger's sum is the balance. */
const expectSound = async ({ pool }: TestRuns) => {
  const { rows } = await pool.query(`
    select (select count(*) from (select from command_bus_event where type = 'CommandSent'
              group by data#>>'{data,jobId}', data#>>'{data,round}' having count(*) > 1) twice)::int as twice,
           (select count(*) from command_bus_credit_account a where a.balance <> (
              select coalesce(sum(case a.pool when 'monthly' then e.monthly else e.purchased end), 0)
              from command_bus_credit_entry e
              where e.tenant_id = a.tenant_id and (a.pool = 'purchased' or e.month = a.month)))::int as wrong,
           (select count(*) from (select from command_bus_credit_entry where kind = 'REFUND'
              group by charge_id having count(*) > 1) again)::int as again`)
  expect(rows[0]).toEqual({ twice: 0, wrong: 0, again: 0 })
}

describe('kill -9', () => {
  test('C12: between charge and resume: the charge is refunded, and the run can be continued', async () => {
    const setup = await createTestRuns()
    const id = await failedRun(setup)
    const [, signal] = await process_(setup, 'charge', id).gone
    expect(signal).toBe('SIGKILL')
    expect(await setup.balance()).toBe('0/6')
    const { runner } = createSeparateLogWorkflows(setup.pool)
    await setup.bus.close()
    void runner.run()
    const next = setup.another()
    await setup.until(
      () => next.credits.balance('t1'),
      ({ monthly, purchased }) => monthly === 2 && purchased === 8,
    )
    expect(await next.runs.get(jane, id)).toMatchObject({
      status: 'COMPLETED_WITH_ERRORS',
      round: 1,
      creditsConsumed: 6,
    })
    expect(await next.runs.retryFailed(jane, id)).toMatchObject({ status: 'RUNNING', creditsConsumed: 10 })
    await runner.close()
    await expectSound(setup)
  })

  test('C12: after resume, before the jobs are queued: they are queued, and the round ends', async () => {
    const setup = await createTestRuns()
    const id = await failedRun(setup)
    const [, signal] = await process_(setup, 'resume', id).gone
    expect(signal).toBe('SIGKILL')
    await setup.bus.close()
    const next = setup.another()
    const { runner } = createSeparateLogWorkflows(setup.pool)
    void runner.run()
    const worker = next.worker({
      domain: 'workflow',
      pollMs: 50,
      handlers: { '*': () => ({ ok: true }) },
    })
    await worker.start()
    const run = await setup.until(
      () => next.runs.get(jane, id),
      ({ round, endedAt }) => round === 2 && endedAt !== null,
    )
    expect(run).toMatchObject({ status: 'COMPLETED', completedJobs: 2, creditsConsumed: 10 })
    await runner.close()
    await expectSound(setup)
  })

  test('in the middle of the results of 1,000 files, again and again: the run ends, and no result is lost', async () => {
    const setup = await createTestRuns()
    const { bus, pool } = setup
    await setup.grant(2_000)
    const fates = Array.from({ length: 1_000 }, (_, i) => (i % 5 === 0 ? ('failed' as const) : ('ok' as const)))
    const { id } = await bus.runs.initiate(jane, { templateId: await setup.template(), files: files(...fates) })
    const noted = async (): Promise<number> =>
      (await pool.query(`select count(*)::int as n from command_bus_workflow_run_file where not open`)).rows[0].n
    const handlers = {
      '*': (data: { readonly input?: { readonly behavior?: object } }) => {
        if (data.input?.behavior !== undefined) throw new Error('busy')
      },
    }
    await setup.work({ domain: 'workflow', handlers, concurrency: 20 } as never)
    for (let killed = 0, before = 0; killed < 3; killed++) {
      const { child, gone } = process_(setup, 'follow')
      before = await setup.until(noted, n => n > before || n === 1_000)
      child.kill('SIGKILL')
      await gone
    }
    process_(setup, 'follow')
    const run = await setup.ended(id)
    expect(run).toMatchObject({ status: 'COMPLETED_WITH_ERRORS', completedJobs: 800, failedJobs: 200 })
    await expectSound(setup)
  })
})
