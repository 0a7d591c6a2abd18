import type { Pool } from 'pg'
import { until } from './bus.ts'

/** Resolves when everything committed so far can be read: an older transaction anywhere on the server delays it. */
export const settled = async (pool: Pool): Promise<void> => {
  const held = () => pool.query('select 1 from command_bus_event where xid >= pg_snapshot_xmin(pg_current_snapshot())')
  await until(held, ({ rowCount }) => rowCount === 0)
}
