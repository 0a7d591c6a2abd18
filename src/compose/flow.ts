import type { Pool } from 'pg'
import { createPauses, type PausesDeps } from '../application/flow/pauses.ts'
import { createSettings, type SettingsDeps } from '../application/flow/settings-store.ts'
import { createPauseQueries } from '../infrastructure/postgres/flow/pause-queries.ts'
import { createSettingsLog } from '../infrastructure/postgres/flow/settings-log.ts'

export interface FlowDeps extends Omit<SettingsDeps, 'log'>, Pick<PausesDeps, 'derivedId'> {
  readonly pool: Pool
  readonly onPauses: PausesDeps['onChange']
}

/** Makes the calls for settings. */
export const createFlow = ({ pool, onPauses, ...deps }: FlowDeps) => {
  const settings = createSettings({ ...deps, log: createSettingsLog(pool) })
  return { ...createPauses({ ...deps, settings, queries: createPauseQueries(pool), onChange: onPauses }) }
}
