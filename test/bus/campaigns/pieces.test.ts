import { expect, test } from 'vitest'
import { createTestActions } from '../../support/actions.ts'
import { createTestDatabase } from '../../support/database.ts'

/** More than one statement writes. */
const PARKED = 60_000

test('O1: an action on many is written, and stopped, in pieces of one transaction: all of them once, oldest first', async () => {
  const { pool, drop } = await createTestDatabase()
  try {
    await pool.query(
      `insert into command_bus_command (domain, command_id, command_type, status, attempts, max_attempts, total_attempts, queue_name,
         correlation_id, retry_count, data_revision, created_at, updated_at, revision, parked_at, parked_reason, last_error_type, last_error_code)
       select 'd' || i % 3, id, 'T', 'IN_TROUBLESHOOTING_QUEUE', 1, 3, 1, 'd__commands', id::text, 0, 0, at, at, 2, at, 'PERMANENT', 'PERMANENT', 'E'
       from (select i, gen_random_uuid() as id, timestamptz '2026-01-01Z' + i / 10 * interval '1 us' as at
         from generate_series(1, ${PARKED}) i) x`,
    )
    await pool.query('vacuum analyze command_bus_command')
    /** By how many statements of a transaction the items are as they are. */
    const statements = async (): Promise<number> => {
      const found = await pool.query(
        'select count(distinct (xmin::text, cmin::text))::int as n from command_bus_action_item',
      )
      return found.rows[0].n
    }
    const actions = createTestActions(pool)
    const options = { operator: 'jane', action: 'cancel', reason: 'gone', filter: {}, undoSeconds: 3_600 } as const
    const { actionId, total } = await actions.start(options)
    expect(total).toBe(PARKED)
    expect(await statements()).toBe(3)
    const { rows } = await pool.query(
      `select count(*)::int as items, max(ordinal) as last, count(distinct (i.domain, i.command_id))::int as commands,
         bool_and(place = ordinal) as in_order
       from (select i.*, row_number() over (order by c.parked_at, c.domain, c.command_id) as place
         from command_bus_action_item i join command_bus_command c using (domain, command_id)) i`,
    )
    expect(rows).toEqual([{ items: PARKED, last: PARKED, commands: PARKED, in_order: true }])
    expect(await actions.stop(actionId, { operator: 'jane' })).toMatchObject({ status: 'STOPPED', skipped: PARKED })
    const left = await pool.query(`select outcome, count(*)::int as n from command_bus_action_item group by 1`)
    expect(left.rows).toEqual([{ outcome: 'SKIPPED', n: PARKED }])
    expect(await statements()).toBe(3)
  } finally {
    await drop()
  }
})
