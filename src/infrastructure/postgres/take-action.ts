import { left, right } from 'fp-ts/lib/Either.js'
import type { ClientBase, Pool } from 'pg'
import type { DueItem, TakenAction } from '../../application/ports/action-store.ts'
import { EventDecodeError } from '../../application/ports/event-store.ts'
import type { CommandEvent } from '../../domain/command/events.ts'
import { commandStream } from '../../domain/command/names.ts'
import { commandCodec } from '../codec/command-codec.ts'
import { type ActionRow, recordOf } from './action-rows.ts'
import { isConnectionError } from './errors.ts'
import { decodeRow, type EventRow } from './event-store.ts'

const OPEN = `status in ('RUNNING', 'WAITING_FOR_CANARY')`

/** Locks an unfinished action for one transaction of `work`; null when it is finished or (without `wait`) locked. */
export const takeAction = async <A>(
  pool: Pool,
  id: string,
  wait: boolean,
  work: (taken: TakenAction) => Promise<A>,
): Promise<A | null> => {
  const client = await pool.connect()
  let broken: Error | undefined
  const onError = (error: Error): void => {
    broken = error
  }
  client.on('error', onError)
  try {
    await client.query('begin')
    const { rows } = await client.query<ActionRow>(
      `select * from command_bus_action where id = $1::uuid and ${OPEN} for update ${wait ? '' : 'skip locked'}`,
      [id],
    )
    const [row] = rows
    const result = row === undefined ? null : await work(taken(client, row))
    await client.query('commit')
    return result
  } catch (error) {
    if (isConnectionError(error)) broken ??= error as Error
    else await client.query('rollback').catch(onError)
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

const taken = (client: ClientBase, row: ActionRow): TakenAction => ({
  action: recordOf(row),
  within: client,

  next: async limit => {
    const { rows } = await client.query<{ ordinal: number; domain: string; command_id: string; revision: string }>(
      `select ordinal, domain, command_id, revision from command_bus_action_item
       where action_id = $1::uuid and ordinal > $2::int and outcome is null order by ordinal limit $3::int`,
      [row.id, row.done_to, limit],
    )
    const items = rows.map(item => ({ ...item, commandId: item.command_id }))
    const histories = await readHistories(client, items.map(commandStream))
    return items.map(
      (item): DueItem => ({
        ordinal: item.ordinal,
        domain: item.domain,
        commandId: item.commandId,
        revision: Number(item.revision),
        history: histories.get(commandStream(item)) ?? right([]),
      }),
    )
  },

  mark: async (marks, at) => {
    const ordinals = marks.map(({ ordinal }) => ordinal)
    const last = Math.max(...ordinals)
    // the range keeps the lookup small, also on a table that nobody has analysed yet
    await client.query(
      `with marked as (
         update command_bus_action_item i set outcome = x.outcome, message = x.message
         from unnest($2::int[], $3::text[], $4::text[]) x(ordinal, outcome, message)
         where i.action_id = $1::uuid and i.ordinal = x.ordinal and i.ordinal between $5::int and $6::int
           and i.outcome is null
         returning x.outcome),
       counted as (
         select count(*) as all, count(*) filter (where outcome = 'SUCCEEDED') as succeeded,
                count(*) filter (where outcome = 'FAILED') as failed,
                count(*) filter (where outcome = 'SKIPPED') as skipped
         from marked)
       update command_bus_action a set
         succeeded = a.succeeded + n.succeeded, failed = a.failed + n.failed, skipped = a.skipped + n.skipped,
         done_to = $6, updated_at = $7::timestamptz,
         status = case when a.status = 'RUNNING' and a.succeeded + a.failed + a.skipped + n.all = a.total
                       then 'COMPLETED' else a.status end
       from counted n where a.id = $1`,
      [
        row.id,
        ordinals,
        marks.map(({ outcome }) => outcome),
        marks.map(({ message }) => message),
        Math.min(...ordinals),
        last,
        at,
      ],
    )
  },

  passCanary: async at => {
    await client.query(
      `update command_bus_action set updated_at = $2::timestamptz,
         status = case when succeeded + failed + skipped = total then 'COMPLETED' else 'RUNNING' end
       where id = $1::uuid`,
      [row.id, at],
    )
  },

  end: async (status, note, at) => {
    await client.query(
      `with left_over as (
         update command_bus_action_item set outcome = 'SKIPPED', message = $3::text
         where action_id = $1::uuid and ordinal > $4::int and outcome is null
         returning 1)
       update command_bus_action set status = $2::text, note = $3, updated_at = $5::timestamptz, done_to = total,
         skipped = skipped + (select count(*) from left_over)
       where id = $1`,
      [row.id, status, note, row.done_to, at],
    )
  },
})

/** A decision on a parked command needs no payload, and no words of past errors: both can be large. */
const slimData = `
  case when data ? 'data' then data || '{"data": null}' else data end
  || case when data ? 'error'
       then jsonb_build_object('error', ((data->'error') - 'details') || '{"message": ""}') else '{}' end`

const readHistories = async (
  client: ClientBase,
  streams: readonly string[],
): Promise<Map<string, DueItem['history']>> => {
  const { rows } = await client.query<EventRow>(
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
