import type { LaneEvent, LaneSettings, LimitEvent } from '../domain/flow/lane/events.ts'
import type { RowWrite } from './row-write.ts'

const settingsOf = ({ width, ratePerSecond, onPark }: LaneSettings) => ({
  width,
  rate_per_second: ratePerSecond,
  on_park: onPark,
})

const changeOf = (revision: number, { actor, at }: LaneEvent | LimitEvent) => ({
  updated_by: actor,
  updated_at: at,
  removed_at: null,
  revision,
})

export const laneRows = (revision: number, event: LaneEvent): readonly RowWrite[] => {
  const { domain, lane } = event
  return [
    {
      table: 'command_bus_lane',
      kind: 'put',
      row: { domain, lane, ...settingsOf(event), ...changeOf(revision, event) },
    },
  ]
}

export const limitRows = (revision: number, event: LimitEvent): readonly RowWrite[] => {
  const { domain, name } = event
  const table = 'command_bus_limit'
  const change = changeOf(revision, event)
  switch (event.type) {
    case 'LimitSet':
      return [
        {
          table,
          kind: 'put',
          row: { domain, name, command_type: event.commandType, lanes_by: event.by, ...settingsOf(event), ...change },
        },
      ]
    case 'LimitRemoved':
      return [{ table, kind: 'patch', row: { domain, name, ...change, removed_at: event.at } }]
  }
}
