import type { Pool, PoolClient } from 'pg'
import { expect, test } from 'vitest'
import { createFindings, type Finding } from '../../src/infrastructure/proof/chain/finding.ts'
import { verifyLog, verifyWithin } from '../../src/infrastructure/proof/verification/verify.ts'
import { verifyEvents } from '../../src/infrastructure/proof/verification/verify-events.ts'
import { createTestRuns, files, jane, type TestRuns } from '../support/runs.ts'

interface Tampering {
  readonly name: string
  readonly statement: string
  readonly found: {
    readonly table: string
    readonly key: object
    readonly column: string
    readonly expected: unknown
    readonly found: unknown
  }
  /** The stream begins like this. */
  readonly stream: string
  /** Found only after every stream was checked: the service's background check leaves it to `verify`. */
  readonly leftToVerify?: true
}

const anything = expect.anything()
const GHOST = '00000000-0000-4000-8000-00000000dead'
const run = { table: 'command_bus_workflow_run', key: { run_id: anything } }
const file = { table: 'command_bus_workflow_run_file', key: { run_id: anything, idx: 1 } }
const template = { table: 'command_bus_workflow_template', key: { template_id: anything } }
const account = {
  table: 'command_bus_credit_account',
  key: { tenant_id: 't1', pool: 'monthly', month: expect.stringMatching(/^\d{4}-\d\d$/) },
}
const entry = { table: 'command_bus_credit_entry', key: { tenant_id: 't1', revision: 1 } }
const copyOf = (table: string, change: object, where = 'true'): string =>
  `insert into ${table} select (jsonb_populate_record(t, '${JSON.stringify(change)}')).* from ${table} t where ${where} limit 1`

const tamperings: readonly Tampering[] = [
  {
    name: 'the counter of a run is edited',
    statement: 'update command_bus_workflow_run set failed_jobs = 0 where total_jobs = 3',
    found: { ...run, column: 'failed_jobs', expected: 1, found: 0 },
    stream: 'workflow_run-',
  },
  {
    name: 'what a run has cost is edited',
    statement: 'update command_bus_workflow_run set credits_from_monthly = 0 where credits_from_monthly = 8',
    found: { ...run, column: 'credits_from_monthly', expected: 8, found: 0 },
    stream: 'workflow_run-',
  },
  {
    name: 'the row of a run is removed',
    statement: 'delete from command_bus_workflow_run where total_jobs = 3',
    found: { ...run, column: '*', expected: anything, found: null },
    stream: 'workflow_run-',
  },
  {
    name: 'a run is inserted',
    statement: copyOf('command_bus_workflow_run', { run_id: GHOST }),
    found: { table: run.table, key: { run_id: GHOST }, column: '*', expected: null, found: anything },
    stream: `workflow_run-${GHOST}`,
    leftToVerify: true,
  },
  {
    name: 'the error of a file is edited',
    statement: `update command_bus_workflow_run_file set error_message = null where error_code = 'UNREADABLE' and idx = 2`,
    found: {
      ...file,
      key: { run_id: anything, idx: 2 },
      column: 'error_message',
      expected: 'no text in it',
      found: null,
    },
    stream: 'workflow_run-',
  },
  {
    name: 'the row of a file is removed',
    statement: 'delete from command_bus_workflow_run_file where idx = 1',
    found: { ...file, column: '*', expected: anything, found: null },
    stream: 'workflow_run-',
  },
  {
    name: 'a file is inserted into a run',
    statement: copyOf(file.table, { idx: 99 }),
    found: { ...file, key: { run_id: anything, idx: 99 }, column: '*', expected: null, found: anything },
    stream: 'workflow_run-',
  },
  {
    name: 'the price of a template is edited',
    statement: 'update command_bus_workflow_template set credits_per_run = 0 where archived_at is null',
    found: { ...template, column: 'credits_per_run', expected: 2, found: 0 },
    stream: 'workflow_template-',
  },
  {
    name: 'an archived template is taken out of the archive',
    statement: 'update command_bus_workflow_template set archived_at = null where archived_at is not null',
    found: { ...template, column: 'archived_at', expected: anything, found: null },
    stream: 'workflow_template-',
  },
  {
    name: 'a template is inserted',
    statement: copyOf(template.table, { template_id: GHOST }),
    found: { ...template, key: { template_id: GHOST }, column: '*', expected: null, found: anything },
    stream: `workflow_template-${GHOST}`,
    leftToVerify: true,
  },
  {
    name: 'a balance of credits is edited',
    statement: `update command_bus_credit_account set balance = 1000000 where pool = 'monthly'`,
    found: { ...account, column: 'balance', expected: 12, found: 1_000_000 },
    stream: 'credits-t1',
  },
  {
    name: 'a balance is removed',
    statement: `delete from command_bus_credit_account where pool = 'monthly'`,
    found: { ...account, column: '*', expected: anything, found: null },
    stream: 'credits-t1',
  },
  {
    name: 'a balance is inserted for another month',
    statement: copyOf(account.table, { month: '2031-01', balance: 500 }, `pool = 'monthly'`),
    found: {
      ...account,
      key: { tenant_id: 't1', pool: 'monthly', month: '2031-01' },
      column: '*',
      expected: null,
      found: anything,
    },
    stream: 'credits-t1',
  },
  {
    name: 'the entry of a charge is edited',
    statement: `update command_bus_credit_entry set monthly = -1 where kind = 'CHARGE' and revision = 1`,
    found: { ...entry, column: 'monthly', expected: -6, found: -1 },
    stream: 'credits-t1',
  },
  {
    name: 'the entry of a charge is removed',
    statement: `delete from command_bus_credit_entry where kind = 'CHARGE' and revision = 1`,
    found: { ...entry, column: '*', expected: anything, found: null },
    stream: 'credits-t1',
  },
  {
    name: 'a grant is inserted at the end of a ledger',
    statement: copyOf(entry.table, { revision: 77, monthly: 50 }, `kind = 'GRANT'`),
    found: { ...entry, key: { tenant_id: 't1', revision: 77 }, column: '*', expected: null, found: anything },
    stream: 'credits-t1',
  },
  {
    name: 'a grant is inserted for a tenant without a ledger',
    statement: copyOf(entry.table, { tenant_id: 'ghost', revision: 0 }, `kind = 'GRANT'`),
    found: { ...entry, key: { tenant_id: 'ghost', revision: 0 }, column: '*', expected: null, found: anything },
    stream: 'credits-ghost',
    leftToVerify: true,
  },
]

/** A run of three files: one fails and is continued, one never works; and a run that is refunded completely. */
const live = async ({ bus, grant, template: make, atWork, ended }: TestRuns): Promise<void> => {
  await grant(20)
  const templateId = await make()
  const other = await make({ creditsPerRun: 1 })
  const first = await bus.runs.initiate(jane, { templateId, files: files('ok', 'failed', 'error') })
  const worker = await atWork()
  await ended(first.id)
  await bus.runs.retryFailed(jane, first.id)
  await ended(first.id, 2)
  const second = await bus.runs.initiate(jane, { templateId: other, files: files('error') })
  await ended(second.id)
  await worker.stop()
  await bus.runs.editTemplate(jane, other, { name: 'Renamed' })
  await bus.runs.archiveTemplate(jane, other)
}

/** Rolls back what the function does to the database. */
const undone = async (pool: Pool, work: (client: PoolClient) => Promise<void>): Promise<void> => {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await work(client)
  } finally {
    await client.query('rollback')
    client.release()
  }
}

const slice = async (client: PoolClient): Promise<readonly Finding[]> => {
  const findings = createFindings(100)
  await verifyEvents(client, findings, { from: 'command.' })
  return findings.kept
}

test('every change of a row of runs, files, templates and credits is found and named, down to the column', async () => {
  const setup = await createTestRuns()
  await live(setup)
  const clean = await verifyLog(setup.pool)
  expect(clean.findings).toEqual([])
  const rows = await setup.pool.query(
    `select sum(n)::int as n from (${[
      'workflow_template',
      'workflow_run',
      'workflow_run_file',
      'credit_account',
      'credit_entry',
    ]
      .map(name => `select count(*) as n from command_bus_${name}`)
      .join(' union all ')}) x`,
  )
  expect(clean.workflowRows).toBe(rows.rows[0].n)

  for (const { name, statement, found, stream, leftToVerify } of tamperings) {
    await undone(setup.pool, async client => {
      expect((await client.query(statement)).rowCount, name).toBe(1)
      const { findings } = await verifyWithin(client)
      const { table, key, ...rest } = found
      const finding = {
        ...rest,
        kind: 'row',
        revision: null,
        row: { table, key },
        stream: expect.stringMatching(`^${stream}`),
      }
      const expected = [{ ...finding, message: expect.stringContaining(table) }]
      expect(findings, name).toEqual(expected)
      expect(await slice(client), name).toEqual(leftToVerify ? [] : expected)
    })
  }
})

test('a ledger longer than a page is compared entry by entry', async () => {
  const setup = await createTestRuns()
  const { pool } = setup
  await setup.grant(1)
  // the same grant over and over, with the balance it leaves
  await pool.query('alter table command_bus_event disable trigger user')
  await pool.query(
    `insert into command_bus_event (stream, revision, id, type, data, meta, hash)
     select stream, n, gen_random_uuid(), type, jsonb_set(data, '{left,monthly}', to_jsonb(n + 1)), meta, ''
     from command_bus_event, generate_series(1, 5500) n where stream = 'credits-t1' and revision = 0`,
  )
  await setup.bus.maintenance.rebuild()
  expect(await setup.bus.maintenance.verify()).toEqual([])
  expect(await setup.balance()).toBe('5501/0')
  await pool.query('update command_bus_credit_entry set actor = $1 where revision in (3, 5400)', ['somebody else'])
  await pool.query('delete from command_bus_credit_entry where revision = 5200')
  const drift = await setup.bus.maintenance.verify()
  expect(drift.map(({ row, column }) => `${row?.key.revision} ${column}`)).toEqual(['3 actor', '5200 *', '5400 actor'])
})
