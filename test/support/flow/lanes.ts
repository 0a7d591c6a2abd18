import type { Pool } from 'pg'

interface Settings {
  readonly width?: number
  readonly rate?: number
  readonly onPark?: 'hold' | 'pass'
  readonly removed?: boolean
}

/** Writes the settings of a lane as their projection does. */
export const setLane = (pool: Pool, domain: string, lane: string, settings: Settings): Promise<void> =>
  write(pool, 'command_bus_lane', { domain, lane }, settings)

/** The same for a rule. */
export const setLimit = (
  pool: Pool,
  domain: string,
  name: string,
  { by, commandType = null, ...settings }: Settings & { readonly by: string; readonly commandType?: string | null },
): Promise<void> =>
  write(pool, 'command_bus_limit', { domain, name, command_type: commandType, lanes_by: by }, settings)

let revision = 0

const write = async (
  pool: Pool,
  table: string,
  key: object,
  { width = 1, rate, onPark = 'hold', removed = false }: Settings,
): Promise<void> => {
  const row = {
    ...key,
    width,
    rate_per_second: rate ?? null,
    on_park: onPark,
    updated_by: 'test',
    updated_at: new Date().toISOString(),
    removed_at: removed ? new Date().toISOString() : null,
    revision: revision++,
  }
  await pool.query('select command_bus_commit_rows($1::jsonb)', [
    JSON.stringify({ atomic: false, events: [], tables: [{ table, kind: 'put', stream: 'lane-test', row }] }),
  ])
}

/** The commands of all lanes that have not ended, by their places. */
export const entriesOf = async (pool: Pool): Promise<readonly { readonly lane: string; readonly state: string }[]> =>
  (await pool.query('select lane, state from command_bus_lane_entry order by domain, lane, place')).rows
