import type { ClientBase, Pool } from 'pg'
import type { ScheduleQueries, StoredSchedule } from '../../../application/ports/reading/schedule-queries.ts'
import { tenantIs } from '../reading/conditions.ts'
import { invalidCursor } from '../reading/cursor.ts'
import { cutColumns, cutFrom, joinCut } from '../reading/cut-json.ts'
import {
  PROGRESS,
  type ProgressRow,
  progressColumns,
  progressOf,
  type ScheduleRow,
  scheduleColumns,
  storedOf,
} from './schedule-rows.ts'

const DEFAULT_LIMIT = 100

export const databaseTime = async (on: Pick<ClientBase, 'query'>): Promise<number> => {
  const { rows } = await on.query<{ now: number }>('select extract(epoch from clock_timestamp())::float8 * 1000 as now')
  return Math.floor(rows[0]?.now ?? Number.NaN)
}

export const findSchedule = async (on: Pick<ClientBase, 'query'>, name: string): Promise<StoredSchedule | null> => {
  const { rows } = await on.query<ScheduleRow>(
    `select ${scheduleColumns}, s.data from command_bus_schedule s ${PROGRESS} where s.name = $1::text and s.status <> 'DELETED'`,
    [name],
  )
  return rows[0] === undefined ? null : storedOf(rows[0])
}

/** Reads schedules from their table. */
export const createScheduleQueries = (pool: Pool): ScheduleQueries => ({
  now: () => databaseTime(pool),
  find: name => findSchedule(pool, name),

  list: async ({ domain, tenantId, limit = DEFAULT_LIMIT, cursor }) => {
    const { rows } = await pool.query<ScheduleRow>(
      `select ${scheduleColumns}, ${cutColumns('d', 'data')}
       from command_bus_schedule s ${PROGRESS} ${joinCut('s.data', 'd')}
       where s.status <> 'DELETED' and ($1::text is null or s.domain = $1::text) and ${tenantIs('$2', 's.tenant_id')}
         and ($3::text is null or s.name > $3::text)
       order by s.name limit $4::int`,
      [domain ?? null, tenantId ?? null, cursor === undefined ? null : decodeCursor(cursor), limit + 1],
    )
    const items = rows.slice(0, limit).map(row => {
      const stored = storedOf(row)
      return { ...stored, facts: { ...stored.facts, ...cutFrom(row, 'data') } }
    })
    const last = rows.length > limit ? items.at(-1) : undefined
    return { items, nextCursor: last === undefined ? null : Buffer.from(last.name).toString('base64url') }
  },

  progress: async name => {
    const { rows } = await pool.query<ProgressRow>(
      `select ${progressColumns} from command_bus_schedule_progress p where p.name = $1::text`,
      [name],
    )
    return rows[0] === undefined ? null : progressOf(rows[0])
  },
})

const NAME = /^[a-z][a-z0-9._-]{0,99}$/

const decodeCursor = (cursor: string): string => {
  const name = Buffer.from(cursor, 'base64url').toString()
  if (!NAME.test(name)) throw invalidCursor()
  return name
}
