import { expect, test } from 'vitest'
import { createWorkflowQueries } from '../../../src/infrastructure/postgres/reading/workflow-queries.ts'
import { createTestDatabase } from '../../support/database.ts'

test("R22: charges that no run has claimed are found by two times of the database's clock, whatever clock wrote them", async () => {
  const database = await createTestDatabase()
  const [old, late, returned] = [1, 2, 3].map(n => `00000000-0000-4000-8000-00000000000${n}`)
  await database.pool.query(
    `insert into command_bus_credit_entry (tenant_id, revision, kind, monthly, purchased, month, run_id, charge_id, actor, at, monthly_left, purchased_left)
     select 't1', x.revision, x.kind, x.monthly, 0, '2026-01', gen_random_uuid(), x.charge::uuid, 'jane', x.at, 10, 0
     from (values (1, 'CHARGE', -5, $1, timestamptz '2026-01-02 00:00Z'), (2, 'CHARGE', -5, $2, '2026-01-04 00:00Z'),
       (3, 'CHARGE', -5, $3, '2026-01-04 00:00Z'), (4, 'REFUND', 5, $3, '2026-01-04 01:00Z')) x(revision, kind, monthly, charge, at)`,
    [old, late, returned],
  )
  // the first was made by a process whose clock is an hour ahead, the second by one that is an hour behind
  await database.pool.query(
    `insert into command_bus_event (stream, revision, id, type, data, meta, recorded, hash)
     select 'credits-t1', revision, gen_random_uuid(), 'x', '{}', '{}', at + case revision when 1 then interval '-1 hour' else '1 hour' end, ''
     from command_bus_credit_entry`,
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
  expect(await found(null, '2026-01-01T23:30Z')).toEqual([[old, 5]])
  expect(await found(null, '2026-01-04T00:30Z')).toEqual([[old, 5]])
  await database.drop()
})
