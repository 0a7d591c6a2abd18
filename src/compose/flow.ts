import type { Pool } from 'pg'
import { createPauses } from '../application/flow/pauses.ts'
import { createSettings, type SettingsDeps } from '../application/flow/settings-store.ts'
import { createPauseQueries } from '../infrastructure/postgres/flow/pause-queries.ts'
import { createSettingsLog } from '../infrastructure/postgres/flow/settings-log.ts'

export interface FlowDeps extends Omit<SettingsDeps, 'log'> {
  readonly pool: Pool
  readonly derivedId: (text: string) => string
}

/** Makes the calls for settings. */
export const createFlow = ({ pool, ...deps }: FlowDeps) => {
  const settings = createSettings({ ...deps, log: createSettingsLog(pool) })
  return { ...createPauses({ ...deps, settings, queries: createPauseQueries(pool) }) }
}
