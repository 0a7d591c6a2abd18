import { expect, test } from 'vitest'
import { createWorkflowQueries } from '../../../src/infrastructure/postgres/reading/workflow-queries.ts'
import { createTestDatabase } from '../../support/database.ts'

test('charges that no run has claimed are looked for between two moments', async () => {
  const database = await createTestDatabase()
  const [old, late, returned] = [1, 2, 3].map(n => `00000000-0000-4000-8000-00000000000${n}`)
  await database.pool.query(
    `insert into command_bus_credit_entry (tenant_id, revision, kind, monthly, purchased, month, run_id, charge_id, actor, at, monthly_left, purchased_left)
     select 't1', x.revision, x.kind, x.monthly, 0, '2026-01', gen_random_uuid(), x.charge::uuid, 'jane', x.at, 10, 0
     from (values (1, 'CHARGE', -5, $1, timestamptz '2026-01-02 00:00Z'), (2, 'CHARGE', -5, $2, '2026-01-04 00:00Z'),
       (3, 'CHARGE', -5, $3, '2026-01-04 00:00Z'), (4, 'REFUND', 5, $3, '2026-01-04 01:00Z')) x(revision, kind, monthly, charge, at)`,
    [old, late, returned],
  )
  const { orphans } = createWorkflowQueries({ pool: database.pool, domain: 'workflows', commandId: name => name })
  const found = async (from: string | null, before: string) =>
    (await orphans(from, before, 10)).map(({ chargeId, amount }) => [chargeId, amount])
  expect(await found(null, '2026-01-05T00:00Z')).toEqual([
    [old, 5],
    [late, 5],
  ])
  expect(await found('2026-01-03T00:00Z', '2026-01-05T00:00Z')).toEqual([[late, 5]])
  expect(await found(null, '2026-01-03T00:00Z')).toEqual([[old, 5]])
  await database.drop()
})
