import type { PauseEvent } from '../domain/flow/pause/events.ts'
import type { RowWrite } from './row-write.ts'

const table = 'command_bus_pause'

/** One row for each scope that was ever paused: its last pause. */
export const pauseRows = (pauseId: string, revision: number, event: PauseEvent): readonly RowWrite[] => {
  const key = { pause_id: pauseId, revision }
  switch (event.type) {
    case 'FlowPaused':
      return [
        {
          table,
          kind: 'put',
          row: {
            ...key,
            domain: event.domain,
            command_type: event.commandType,
            tenant_id: event.tenantId,
            reason: event.reason,
            until: event.until,
            paused_by: event.actor,
            paused_at: event.at,
            resumed_by: null,
            resumed_at: null,
          },
        },
      ]
    case 'FlowResumed':
      return [{ table, kind: 'patch', row: { ...key, resumed_by: event.actor, resumed_at: event.at } }]
  }
}
