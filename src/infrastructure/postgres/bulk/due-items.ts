import { left, right } from 'fp-ts/lib/Either.js'
import type { ClientBase } from 'pg'
import type { DueItem } from '../../../application/ports/action-store.ts'
import { EventDecodeError } from '../../../application/ports/event-store.ts'
import type { CommandEvent } from '../../../domain/command/events.ts'
import { commandStream } from '../../../domain/command/names.ts'
import { commandCodec } from '../../codec/command-codec.ts'
import { decodeRow, type EventRow } from '../log/event-store.ts'

type Querier = Pick<ClientBase, 'query'>

interface DueRow {
  readonly ordinal: number
  readonly domain: string
  readonly command_id: string
  readonly revision: string
}

/** Items after an ordinal that have no outcome yet, each with the events of its command. */
export const readDue = async (
  querier: Querier,
  id: string,
  after: number,
  limit: number,
): Promise<readonly DueItem[]> => {
  const { rows } = await querier.query<DueRow>(
    `select ordinal, domain, command_id, revision from command_bus_action_item
     where action_id = $1::uuid and ordinal > $2::int and outcome is null order by ordinal limit $3::int`,
    [id, after, limit],
  )
  const items = rows.map(({ ordinal, domain, command_id: commandId, revision }) => ({
    ordinal,
    domain,
    commandId,
    revision: Number(revision),
  }))
  const histories = await readHistories(querier, items.map(commandStream))
  return items.map((item): DueItem => ({ ...item, history: histories.get(commandStream(item)) ?? right([]) }))
}

/** Without payloads and texts of past errors: they can be large, and a decision on a parked command needs neither. */
const slimData = `
  case when data ? 'data' then data || '{"data": null}' else data end
  || case when data ? 'error'
       then jsonb_build_object('error', ((data->'error') - 'details') || '{"message": ""}') else '{}' end`

const readHistories = async (
  querier: Querier,
  streams: readonly string[],
): Promise<Map<string, DueItem['history']>> => {
  const { rows } = await querier.query<EventRow>(
    `select stream, revision, id, type, ${slimData} as data, meta from command_bus_event
     where stream = any ($1::text[]) order by stream, revision`,
    [streams],
  )
  const readable = new Map<string, CommandEvent[]>()
  const histories = new Map<string, DueItem['history']>()
  for (const row of rows) {
    try {
      const { event } = decodeRow(commandCodec, row)
      const events = readable.get(row.stream) ?? []
      events.push(event)
      readable.set(row.stream, events)
    } catch (error) {
      if (!(error instanceof EventDecodeError)) throw error
      histories.set(row.stream, left(error.message))
    }
  }
  for (const [stream, events] of readable) if (!histories.has(stream)) histories.set(stream, right(events))
  return histories
}
