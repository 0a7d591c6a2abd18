import type pg from 'pg'
import { expect, test } from 'vitest'
import { PermanentCommandError } from '../../../src/index.ts'
import { createTestBus } from '../../support/bus.ts'

const cause = { domain: 'shop', commandType: 'Charge', errorCode: 'DECLINED' }

interface Rows {
  readonly status: string
  readonly count: number
  /** From and to so many minutes ago, evenly. */
  readonly from: number
  readonly to: number
  /** Minutes from sending to the end. */
  readonly lag?: number
  readonly errorType?: string | null
  readonly errorCode?: string | null
}

/** Commands of which only the rows are there: they are compared by all but their payload. */
const add = (pool: pg.Pool, rows: Rows) => {
  const { status, count, from, to, lag = 0, errorType = null, errorCode = errorType && 'DECLINED' } = rows
  return pool.query(
    `insert into command_bus_command (domain, command_id, command_type, status, attempts, max_attempts, total_attempts, queue_name,
       correlation_id, retry_count, data_revision, created_at, updated_at, revision, last_error_type, last_error_code, parked_at, parked_reason)
     select 'shop', gen_random_uuid(), 'Charge', $1::text, 1, 3, 1, 'shop__commands', 'c', 0, 0, at, at + $5 * interval '1 minute', 1, $6::text, $7::text,
       case when $1 = 'IN_TROUBLESHOOTING_QUEUE' then at + $5 * interval '1 minute' end,
       case when $1 = 'IN_TROUBLESHOOTING_QUEUE' then 'PERMANENT' end
     from (select now() - ($3 + ($4::float8 - $3) * (n - 0.5) / $2::int) * interval '1 minute' as at from generate_series(1, $2::int) n) x`,
    [status, count, from, to, lag, errorType, errorCode],
  )
}
const parked = { status: 'IN_TROUBLESHOOTING_QUEUE', errorType: 'PERMANENT' }

test('O4: failures that operators have dealt with do not make those of since look like a beginning', async () => {
  const { bus, pool } = await createTestBus()
  await add(pool, { status: 'COMPLETED', count: 2_000, from: 2_880, to: 0 })
  await add(pool, { ...parked, count: 60, from: 1_440, to: 0 })
  expect((await bus.troubleshooting.explain(cause)).findings).toMatchObject([{ kind: 'time', failedShare: 1 }])
  // in the day before, others were retried or canceled
  await add(pool, { status: 'COMPLETED', count: 40, from: 2_880, to: 1_440, errorType: 'PERMANENT' })
  await add(pool, { status: 'CANCELED', count: 20, from: 2_880, to: 1_440, errorType: 'TRANSIENT' })
  expect((await bus.troubleshooting.explain(cause)).findings).toEqual([])
})

test('O4: failures that take long to become final do not seem to have ended', async () => {
  const { bus, pool } = await createTestBus()
  await add(pool, { status: 'COMPLETED', count: 2_000, from: 240, to: 0 })
  await add(pool, { ...parked, count: 200, from: 240, to: 60, lag: 60 })
  expect(await bus.troubleshooting.explain(cause)).toMatchObject({ failed: 200, findings: [] })
  // but those that came at once have
  await pool.query('update command_bus_command set parked_at = created_at where parked_at is not null')
  expect((await bus.troubleshooting.explain(cause)).findings).toMatchObject([{ kind: 'time', failedShare: 1 }])
})

test('O4: payloads that are small only as long as they are packed are not read', async () => {
  const { bus, work, until } = await createTestBus()
  const data = (i: number) => ({ text: 'x'.repeat(i % 2 ? 300_000 : 10), other: i % 2 === 1 })
  await bus.sendBatch(
    'shop',
    Array.from({ length: 24 }, (_, i) => ({ commandType: 'Charge', data: data(i) })),
  )
  await work({
    domain: 'shop',
    handlers: {
      Charge: data => {
        if ((data as { other: boolean }).other) throw new PermanentCommandError('DECLINED', 'declined')
      },
    },
  })
  await until(
    () => bus.troubleshooting.list({ limit: 1 }),
    ({ total }) => total === 12,
  )
  await until(
    () => bus.queryCommands({ status: 'COMPLETED' }),
    ({ items }) => items.length === 12,
  )
  expect(await bus.troubleshooting.explain(cause)).toMatchObject({ failed: 12, succeeded: 12, findings: [] })
})
