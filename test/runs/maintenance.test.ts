import { expect, test } from 'vitest'
import { verifyLog } from '../../src/infrastructure/proof/verification/verify.ts'
import { createTestRuns, files, jane } from '../support/runs.ts'

const tables = [
  'command_bus_workflow_template',
  'command_bus_workflow_run',
  'command_bus_workflow_run_file',
  'command_bus_credit_account',
  'command_bus_credit_entry',
]

test('verify finds every change of the rows of runs and credits, and rebuild repairs it', async () => {
  const setup = await createTestRuns()
  const { bus, pool } = setup
  await setup.grant(20)
  const { id } = await bus.runs.initiate(jane, {
    templateId: await setup.template(),
    files: files('ok', 'failed', 'error'),
  })
  const worker = await setup.atWork()
  await setup.ended(id)
  await bus.runs.retryFailed(jane, id)
  await setup.ended(id, 2)
  await worker.stop()
  const all = async () =>
    Promise.all(tables.map(async table => (await pool.query(`select * from ${table} order by 1, 2`)).rows))
  const before = await all()
  expect(await bus.maintenance.verify()).toEqual([])

  await pool.query(`update command_bus_workflow_run set failed_jobs = 0`)
  await pool.query(`update command_bus_credit_account set balance = balance + 1 where pool = 'monthly'`)
  await pool.query(`delete from command_bus_workflow_run_file where idx = 2`)
  await pool.query(`insert into command_bus_credit_entry select 't9', revision, kind, monthly, purchased, month, run_id, charge_id,
    reason, actor, at, monthly_left, purchased_left from command_bus_credit_entry limit 1`)
  const drift = await bus.maintenance.verify()
  expect(drift.map(({ row, column }) => `${row?.table}.${column}`).sort()).toEqual([
    'command_bus_credit_account.balance',
    'command_bus_credit_entry.*',
    'command_bus_workflow_run.failed_jobs',
    'command_bus_workflow_run_file.*',
  ])

  await bus.maintenance.rebuild()
  expect(await bus.maintenance.verify()).toEqual([])
  expect(await all()).toEqual(before)
})

test('a rebuild while runs start, end and are continued loses none of their rows', async () => {
  const setup = await createTestRuns()
  const { bus, pool } = setup
  await setup.grant(10_000)
  const templateId = await setup.template()
  const worker = await setup.atWork()
  const ids: string[] = []
  let over = false
  const customer = async () => {
    while (!over) {
      const { id } = await bus.runs.initiate(jane, { templateId, files: files('ok', 'failed') })
      ids.push(id)
      await setup.ended(id)
      await bus.runs.retryFailed(jane, id)
      await setup.ended(id, 2)
    }
  }
  const traffic = [customer(), customer(), customer()]
  for (let i = 0; i < 3; i++) await bus.maintenance.rebuild()
  over = true
  await Promise.all(traffic)
  await worker.stop()
  expect((await verifyLog(pool)).findings).toEqual([])
  const { rows } = await pool.query('select count(*)::int as n from command_bus_workflow_run where run_id = any ($1)', [
    ids,
  ])
  expect(rows[0].n).toBe(ids.length)
  expect(ids.length).toBeGreaterThanOrEqual(3)
  const left = await pool.query(`select 1 from pg_class where relname like '%rebuild%'`)
  expect(left.rowCount).toBe(0)
})
