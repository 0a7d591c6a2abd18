import type { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CommandFilter } from '../../../src/application/ports/reading/command-queries.ts'
import { createCommandQueries } from '../../../src/infrastructure/postgres/reading/command-queries.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

interface Row {
  readonly key: string
  readonly status: string
  readonly type: string
  readonly tenant: string
  readonly error: string | null
  readonly at: string
}

const databases: TestDatabase[] = []
const newPool = async (): Promise<Pool> => {
  const database = await createTestDatabase()
  databases.push(database)
  return database.pool
}
afterAll(() => Promise.all(databases.map(database => database.drop())))

/** Inserts the rows of `count` commands. `i` is the place of a command; `domain` and `at` are SQL. */
const fill = async (pool: Pool, count: number, columns: { readonly domain: string; readonly at: string }) => {
  await pool.query(
    `insert into command_bus_command (domain, command_id, command_type, status, attempts, max_attempts, total_attempts,
       queue_name, correlation_id, tenant_id, retry_count, data_revision, created_at, updated_at, revision, parked_at,
       parked_reason, last_error_type, last_error_code)
     select domain, id, case when i <= 20 then 'Early' when i % 3 = 0 then 'Refund' else 'Charge' end, status, 1, 3, 1,
       domain || '__commands', id::text, case when i % 2 = 0 then null else 't1' end, 0, 0, at, at, 2,
       case when status = 'IN_TROUBLESHOOTING_QUEUE' then at end,
       case when status = 'IN_TROUBLESHOOTING_QUEUE' then 'PERMANENT' end,
       case when status = 'IN_TROUBLESHOOTING_QUEUE' then 'PERMANENT' end,
       case when status = 'IN_TROUBLESHOOTING_QUEUE' then 'E' || i % 2 end
     from (
       select i, ${columns.domain} as domain, gen_random_uuid() as id, ${columns.at} as at,
         case when i % 10 = 0 then 'IN_TROUBLESHOOTING_QUEUE' when i % 25 = 1 then 'PENDING' when i % 200 = 3 then 'CANCELED'
           when i % 50 = 2 then 'FAILED' else 'COMPLETED' end as status
       from generate_series(1, ${count}) i) x`,
  )
  await pool.query('vacuum analyze command_bus_command')
}

const keyOf = ({ domain, commandId }: { readonly domain: string; readonly commandId: string }): string =>
  `${domain}/${commandId}`

const HOUR = 3_600_000
const start = Date.parse('2026-01-01T00:00:00.000Z')

describe('commands of seven domains, some of one instant, some far apart', () => {
  let pool: Pool
  let rows: readonly Row[]

  beforeAll(async () => {
    pool = await newPool()
    // ten commands share each instant; the newest fifty share one, too; before them is a gap of years
    await fill(pool, 3_000, {
      domain: `'d' || case when i <= 2000 then i % 7 else i % 2 end`,
      at: `case when i > 2950 then timestamptz '2026-01-02Z' when i <= 100 then timestamptz '2019-01-01Z' + i * interval '1 day'
           else timestamptz '2026-01-01Z' + i / 10 * interval '1 s' end`,
    })
    const found = await pool.query<Row>(
      `select domain || '/' || command_id as key, status, command_type as type, coalesce(tenant_id, '') as tenant,
         last_error_code as error, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
       from command_bus_command order by created_at desc, command_id desc, domain desc`,
    )
    rows = found.rows
  })

  const at = (ms: number): string => new Date(start + ms).toISOString()

  const filters: readonly (readonly [string, CommandFilter, (row: Row) => boolean])[] = [
    ['all', {}, () => true],
    ['completed', { status: 'COMPLETED' }, row => row.status === 'COMPLETED'],
    ['pending', { status: 'PENDING' }, row => row.status === 'PENDING'],
    ['failed refunds', { status: 'FAILED', commandType: 'Refund' }, r => r.status === 'FAILED' && r.type === 'Refund'],
    ['canceled', { status: 'CANCELED' }, row => row.status === 'CANCELED'],
    ['parked', { status: 'IN_TROUBLESHOOTING_QUEUE' }, row => row.status === 'IN_TROUBLESHOOTING_QUEUE'],
    ['of a type', { commandType: 'Charge' }, row => row.type === 'Charge'],
    ['of a type that is no longer sent', { commandType: 'Early' }, row => row.type === 'Early'],
    ['of a type that is not there', { commandType: 'Other' }, () => false],
    ['with an error', { errorCode: 'E1' }, row => row.error === 'E1'],
    ['of a tenant', { tenantId: 't1' }, row => row.tenant === 't1'],
    ['without a tenant', { tenantId: '' }, row => row.tenant === ''],
    [
      'of a time',
      { createdAfter: at(150_000), createdBefore: at(160_000) },
      r => r.at >= at(150_000) && r.at < at(160_000),
    ],
    [
      'before a time',
      { createdBefore: at(20_000), commandType: 'Refund' },
      r => r.at < at(20_000) && r.type === 'Refund',
    ],
    ['of a time without commands', { createdAfter: at(1000 * HOUR) }, () => false],
    ['of a domain', { domain: 'd3' }, row => row.key.startsWith('d3/')],
  ]

  test.each(filters)(
    'A30: the pages of commands (%s) are what they should be, newest first and oldest first, nothing twice',
    async (_, filter, is) => {
      const found = rows.filter(is).map(row => row.key)
      const queries = createCommandQueries(pool)
      for (const [limit, sort] of [
        [7, 'newest'],
        [100, 'newest'],
        [500, 'newest'],
        [7, 'oldest'],
        [100, 'oldest'],
      ] as const) {
        const expected = sort === 'oldest' ? found.toReversed() : found
        const seen: string[] = []
        let cursor: string | null = null
        do {
          const page: Awaited<ReturnType<typeof queries.list>> = await queries.list({
            ...filter,
            sort,
            limit,
            ...(cursor === null ? {} : { cursor }),
          })
          seen.push(...page.items.map(keyOf))
          cursor = page.nextCursor
        } while (cursor !== null && seen.length < 40 * limit)
        expect(seen).toEqual(expected.slice(0, seen.length))
        if (cursor === null) expect(seen).toHaveLength(expected.length)
      }
    },
  )

  test('A30: without any command the list is empty', async () => {
    const empty = await newPool()
    for (const [, filter] of filters) {
      expect(await createCommandQueries(empty).list(filter)).toEqual({ items: [], nextCursor: null })
    }
  })
})

/** The pages that the statements of a list read, by PostgreSQL's count, and the kinds of their plans' nodes. */
const costsIn = (pool: Pool) => async (filter: CommandFilter) => {
  const statements: { readonly text: string; readonly values: unknown[] }[] = []
  const noting = {
    query: (text: string, values: unknown[]) => {
      statements.push({ text, values })
      return pool.query(text, values)
    },
  } as unknown as Pool
  const page = await createCommandQueries(noting).list(filter)
  let buffers = 0
  let nodes = ''
  for (const { text, values } of statements) {
    const { rows } = await pool.query(`explain (analyze, buffers, format json) ${text}`, values)
    const { Plan } = rows[0]['QUERY PLAN'][0]
    buffers += Plan['Shared Hit Blocks'] + Plan['Shared Read Blocks']
    nodes += JSON.stringify(Plan)
  }
  return { page, buffers, nodes, statements: statements.length }
}

describe('a page of a long history', () => {
  let pool: Pool

  beforeAll(async () => {
    pool = await newPool()
    await fill(pool, 60_000, { domain: `'d' || i % 3`, at: `now() - (60000 - i) * interval '1 s'` })
  })

  test.each<readonly [string, CommandFilter]>([
    ['all', {}],
    ['completed', { status: 'COMPLETED' }],
    ['pending', { status: 'PENDING' }],
    ['parked', { status: 'IN_TROUBLESHOOTING_QUEUE' }],
    ['of a type', { commandType: 'Refund' }],
    ['of a tenant', { tenantId: 't1' }],
    ['without a tenant', { tenantId: '' }],
    ['with an error', { errorCode: 'E0' }],
    ['of a domain', { domain: 'd1' }],
    ['parked in a domain', { domain: 'd1', status: 'IN_TROUBLESHOOTING_QUEUE' }],
    ['all, oldest first', { sort: 'oldest' }],
    ['completed, oldest first', { status: 'COMPLETED', sort: 'oldest' }],
    ['pending, oldest first', { status: 'PENDING', sort: 'oldest' }],
    ['of a domain, oldest first', { domain: 'd1', sort: 'oldest' }],
    ['of a tenant, oldest first', { tenantId: 't1', sort: 'oldest' }],
  ])('A30: a list (%s) is read by index, and a late page costs what the first does', async (_, filter) => {
    const costOf = costsIn(pool)
    const first = await costOf({ ...filter, limit: 20 })
    let cursor = first.page.nextCursor
    for (let i = 1; i < 20 && cursor !== null; i++) {
      cursor = (await createCommandQueries(pool).list({ ...filter, limit: 20, cursor })).nextCursor
    }
    const late = await costOf({ ...filter, limit: 20, ...(cursor === null ? {} : { cursor }) })
    expect([first, late].map(({ page }) => page.items.length)).toEqual([20, 20])
    for (const { nodes, buffers, statements } of [first, late]) {
      expect(nodes).not.toContain('Seq Scan')
      expect(buffers).toBeLessThan(500)
      expect(statements).toBe(1)
    }
  })
})

test('A30: commands of a type are found in the index, however rare it is, and a page of a message among those that are open', async () => {
  const pool = await newPool()
  // few are of the type `Early`, and they are the oldest
  await fill(pool, 60_000, { domain: `'d' || i % 3`, at: `now() - (60000 - i) * interval '1 s'` })
  const { rows } = await pool.query<{ pages: number }>(
    `select (pg_relation_size('command_bus_command') / 8192)::int as pages`,
  )
  const pages = rows[0]?.pages ?? 0
  const costOf = costsIn(pool)
  for (const filter of [
    { commandType: 'Early', domain: 'd1' },
    { commandType: 'Early' },
    { commandType: 'none', domain: 'd1' },
    { commandType: 'none' },
    { commandType: 'Early', status: 'COMPLETED' },
    { commandType: 'Early', sort: 'oldest' },
  ] satisfies CommandFilter[]) {
    const { nodes, buffers, page } = await costOf(filter)
    expect(page.items.length > 0).toBe(filter.commandType === 'Early')
    expect(nodes).not.toContain('Seq Scan')
    // the index of all commands has some 600 pages, the table more than three times as many
    expect(buffers).toBeLessThan(pages / 2)
  }
  const { nodes, buffers, page } = await costOf({ status: 'FAILED', message: 'none of them' })
  expect(page.items).toEqual([])
  expect(nodes).not.toContain('Seq Scan')
  expect(buffers).toBeLessThan(pages)
})

test('A30: a command whose correlation id is its own has no entry in that index, and is found by it', async () => {
  const pool = await newPool()
  await fill(pool, 2_000, { domain: `'d' || i % 3`, at: `now() - i * interval '1 s'` })
  const [own] = (await pool.query('select command_id as id, domain from command_bus_command limit 1')).rows
  const [child] = (
    await pool.query(
      `update command_bus_command set correlation_id = $1 where domain <> $2 and command_id = (
         select command_id from command_bus_command where domain <> $2 limit 1) returning command_id as id`,
      [own.id, own.domain],
    )
  ).rows
  await pool.query('reindex index command_bus_command_correlation')
  await pool.query('analyze command_bus_command')
  const { rows } = await pool.query(
    `select reltuples::int as n from pg_class where relname = 'command_bus_command_correlation'`,
  )
  expect(rows).toEqual([{ n: 1 }])
  const { items } = await createCommandQueries(pool).list({ correlationId: own.id })
  expect(items.map(item => item.commandId).sort()).toEqual([own.id, child.id].sort())
})

test('O8: completed commands are found behind all the newer ones that wait since the workers stopped', async () => {
  const pool = await newPool()
  await fill(pool, 400, {
    domain: `'d' || i % 3`,
    at: `timestamptz '2026-01-01Z' + i * interval '1 ms'`,
  })
  await pool.query(
    `update command_bus_command set created_at = created_at - interval '1 day' where status = 'COMPLETED'`,
  )
  const statements: string[] = []
  const watched = Object.assign(Object.create(pool), {
    query: (text: string, values: unknown[]) => {
      statements.push(text)
      return pool.query(text, values)
    },
  })
  const { items } = await createCommandQueries(watched).list({ status: 'COMPLETED', limit: 10 })
  expect(items.map(({ status }) => status)).toEqual(Array(10).fill('COMPLETED'))
  // the second one would read the whole table
  expect(statements).toHaveLength(1)
})

test('A30: parked commands come oldest first or with most attempts first, by index; a page of another order is refused', async () => {
  const pool = await newPool()
  await fill(pool, 3_000, { domain: `'d' || i % 3`, at: `date_trunc('second', now()) - i / 5 * interval '1 s'` })
  await pool.query(
    'update command_bus_command set attempts = abs(hashtext(command_id::text)) % 4, max_attempts = 5, total_attempts = 5',
  )
  await pool.query('vacuum analyze command_bus_command')
  const queries = createCommandQueries(pool)
  const orders = { oldest: 'parked_at, command_id, domain', attempts: 'attempts desc, command_id desc, domain desc' }
  for (const [sort, order] of Object.entries(orders) as ['oldest' | 'attempts', string][]) {
    const { rows } = await pool.query(
      `select domain || '/' || command_id as key from command_bus_command where parked_at is not null order by ${order}`,
    )
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof queries.parked>> = await queries.parked({
        sort,
        limit: 70,
        ...(cursor === null ? {} : { cursor }),
      })
      seen.push(...page.items.map(keyOf))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(seen).toEqual(rows.map(row => row.key))
    const { nextCursor = '' } = await queries.parked({ sort, limit: 1 })
    const other = sort === 'oldest' ? 'attempts' : 'oldest'
    await expect(queries.parked({ sort: other, cursor: nextCursor ?? '' })).rejects.toThrow(/not a valid cursor/)
    const plan = await pool.query(
      `explain select * from command_bus_command where status = 'IN_TROUBLESHOOTING_QUEUE' order by ${order} limit 20`,
    )
    if (sort === 'attempts') expect(JSON.stringify(plan.rows)).toContain('command_bus_command_parked_attempts')
  }
})
