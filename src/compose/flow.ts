import type { Pool } from 'pg'
import { createCauses } from '../application/flow/causes.ts'
import { createLanes } from '../application/flow/lanes.ts'
import { createLimits } from '../application/flow/limits.ts'
import { createPauses, type PausesDeps } from '../application/flow/pauses.ts'
import { createSettings, type SettingsDeps } from '../application/flow/settings-store.ts'
import { createCauseQueries } from '../infrastructure/postgres/flow/cause-queries.ts'
import { createLaneQueries } from '../infrastructure/postgres/flow/lane-queries.ts'
import { createPauseQueries } from '../infrastructure/postgres/flow/pause-queries.ts'
import { createSettingsLog } from '../infrastructure/postgres/flow/settings-log.ts'

export interface FlowDeps extends Omit<SettingsDeps, 'log'>, Pick<PausesDeps, 'derivedId'> {
  readonly pool: Pool
  readonly onPauses: PausesDeps['onChange']
}

/** Makes the calls for settings. */
export const createFlow = ({ pool, onPauses, ...deps }: FlowDeps) => {
  const settings = createSettings({ ...deps, log: createSettingsLog(pool) })
  const lanes = { ...deps, settings, queries: createLaneQueries(pool) }
  return {
    pauses: createPauses({ ...deps, settings, queries: createPauseQueries(pool), onChange: onPauses }),
    lanes: createLanes(lanes),
    limits: createLimits(lanes),
    causes: createCauses({ ...deps, settings, queries: createCauseQueries(pool) }),
  }
}
