import type { Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFigureQueries } from '../../../src/infrastructure/postgres/figures/figures.ts'
import { createParkedLists } from '../../../src/infrastructure/postgres/reading/parked-lists.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

const PARKED = 4_000

let database: TestDatabase
let statements: { readonly text: string; readonly values: unknown[] }[] = []
let watched: Pool

beforeAll(async () => {
  database = await createTestDatabase()
  // each lies on a page of its own, among long messages and commands that have completed
  await database.pool.query(
    `insert into command_bus_command (domain, command_id, command_type, status, attempts, max_attempts, total_attempts,
       queue_name, correlation_id, tenant_id, retry_count, data_revision, created_at, updated_at, revision, parked_at,
       parked_reason, last_error_type, last_error_code, last_error_msg, last_error_frame, snoozed_until)
     select 'd', id, 'T' || i % 3, case when is_parked then 'IN_TROUBLESHOOTING_QUEUE' else 'COMPLETED' end, 1, 3, 1, 'd__commands',
       id::text, case when i % 4 = 0 then 't1' end, 0, 0, at, at, 2, case when is_parked then at end, case when is_parked then 'PERMANENT' end,
       'PERMANENT', case when i % 8 < 4 then 'DECLINED' else 'GONE' end, 'message ' || i || repeat(' x', 900),
       case when i % 8 < 4 then '' else 'src/a.ts:1 in a' end, case when i = 1 then now() + interval '1 day' end
     from (select i, gen_random_uuid() as id, now() - (${PARKED * 4} - i) * interval '1 s' as at, i % 4 = 1 or i % 32 = 0 as is_parked
       from generate_series(1, ${PARKED * 4}) i) x`,
  )
  await database.pool.query('vacuum analyze command_bus_command')
  watched = Object.assign(Object.create(database.pool), {
    query: (text: string, values: unknown[]) => {
      statements.push({ text, values })
      return database.pool.query(text, values)
    },
  })
})
afterAll(() => database.drop())

/** The statements of a call, and the pages that those which read commands read, by PostgreSQL's count. */
const costOf = async <Answer>(call: () => Promise<Answer>) => {
  statements = []
  const answer = await call()
  const own = statements
  let buffers = 0
  for (const { text, values } of own) {
    const { rows } = await database.pool.query(`explain (analyze, buffers, format json) ${text}`, values)
    const { Plan: plan } = rows[0]['QUERY PLAN'][0]
    buffers += plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
  }
  return { answer, buffers, statements: own.length }
}

test('O8: groups, causes and the state of the bus count what is parked in an index, and read one row for each sample', async () => {
  const lists = createParkedLists(watched)
  const figures = createFigureQueries(watched)
  const { rows } = await database.pool.query(
    `select command_type, last_error_code, count(*)::int as count, max(command_id::text) filter (where parked_at = newest) as id
     from (select *, max(parked_at) over (partition by command_type, last_error_code) as newest from command_bus_command
       where status = 'IN_TROUBLESHOOTING_QUEUE') c group by 1, 2 order by 1, 2`,
  )
  expect(rows.length).toBeGreaterThanOrEqual(6)
  const groups = await costOf(() => lists.parkedGroups({}))
  const named = groups.answer.map(({ commandType, errorCode, count }) => [commandType, errorCode, count])
  expect(named.toSorted()).toEqual(rows.map(row => [row.command_type, row.last_error_code, row.count]).toSorted())
  for (const { commandType, errorCode, frame, sample } of groups.answer) {
    const id = rows.find(row => row.command_type === commandType && row.last_error_code === errorCode)?.id
    const newest = await database.pool.query(
      'select last_error_msg as text from command_bus_command where command_id = $1',
      [id],
    )
    expect(newest.rows[0].text.startsWith(sample?.slice(0, 15))).toBe(true)
    expect(frame).toBe(errorCode === 'GONE' ? 'src/a.ts:1 in a' : null)
  }
  const ofTenant = await costOf(() => lists.parkedGroups({ tenantId: 't1', byFrame: false }))
  expect(ofTenant.answer.reduce((sum, { count }) => sum + count, 0)).toBe(PARKED / 8)
  const causes = await costOf(() => figures.causes({}))
  expect(causes.answer.items.reduce((sum, { parked }) => sum + parked, 0)).toBe(PARKED * 1.125 - 1)
  const courses = await costOf(() => figures.courses({}))
  expect(courses.answer.parked).toBe(PARKED * 1.125 - 1)
  // the rows alone are some 4,500 pages
  for (const { buffers } of [groups, ofTenant, causes, courses]) expect(buffers).toBeLessThan(400)
})

test('O8: a list of what is parked counts for its first page only, in an index; the readers of CSV do not count', async () => {
  const lists = createParkedLists(watched)
  const first = await costOf(() => lists.parked({ limit: 20 }))
  expect(first).toMatchObject({ statements: 2, answer: { total: PARKED * 1.125 } })
  // each row is joined with its events
  expect(first.buffers).toBeLessThan(700)
  const cursor = first.answer.nextCursor as string
  const second = await costOf(() => lists.parked({ limit: 20, cursor }))
  expect(second).toMatchObject({ statements: 1, answer: { total: PARKED * 1.125 } })
  const third = await costOf(() => lists.parked({ limit: 20, cursor: second.answer.nextCursor as string }))
  expect(third).toMatchObject({ statements: 1, answer: { total: PARKED * 1.125 } })
  const csv = await costOf(() => lists.parked({ limit: 20, counted: false }))
  expect(csv).toMatchObject({ statements: 1, answer: { total: 20, items: first.answer.items } })
  const next = await costOf(() => lists.parked({ limit: 20, counted: false, cursor: csv.answer.nextCursor as string }))
  expect(next).toMatchObject({ statements: 1, answer: { items: second.answer.items } })
  // one whole page is its own count
  expect(await costOf(() => lists.parked({ q: 'message 4001 ' }))).toMatchObject({
    statements: 1,
    answer: { total: 1 },
  })
  for (const wrong of [`${cursor}.1`, `${cursor.split('.')[0]}.x`, `${cursor.split('.')[0]}.-1`, '.5'])
    await expect(lists.parked({ cursor: wrong })).rejects.toThrow(/not a valid cursor/)
})

test('O8: a search that many parked commands match reads those of its page', async () => {
  const lists = createParkedLists(watched)
  const { buffers, answer } = await costOf(() => lists.parked({ q: 'MESSAGE', limit: 20, counted: false }))
  expect(answer.items).toHaveLength(20)
  expect(buffers).toBeLessThan(400)
  const { answer: rare } = await costOf(() => lists.parked({ q: '100%_\\' }))
  expect(rare).toEqual({ items: [], nextCursor: null, total: 0 })
})
