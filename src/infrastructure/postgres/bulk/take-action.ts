import type { ClientBase, Pool } from 'pg'
import type { TakenAction } from '../../../application/ports/action-store.ts'
import { isConnectionError } from '../connection/errors.ts'
import { type ActionRow, actionColumns, PIECE, recordOf, spendTokens } from './action-rows.ts'
import { readDue } from './due-items.ts'

export const OPEN = `status in ('RUNNING', 'WAITING_FOR_CANARY', 'PAUSED')`

/** SQL: the status of an action that goes on. */
const GOING_ON = `case when canary is not null and stage = 1 then 'WAITING_FOR_CANARY' else 'RUNNING' end`

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
      `select ${actionColumns} from command_bus_action where id = $1::uuid and ${OPEN} for update ${wait ? '' : 'skip locked'}`,
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
  doneTo: row.done_to,
  within: client,
  next: limit => readDue(client, row.id, row.done_to, limit),

  mark: async (marks, at) => {
    const ordinals = marks.map(({ ordinal }) => ordinal)
    const last = Math.max(...ordinals)
    // the range keeps the lookup small, also on a table without statistics
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
         done_to = $6, updated_at = $7::timestamptz, changed_by = null,
         ${spendTokens('a', 'n.succeeded')},
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

  passStage: async () => {
    await client.query(
      `update command_bus_action set updated_at = clock_timestamp(), changed_by = null,
         stage = stage + 1, stage_from = done_to, tokens = 0, tokens_at = clock_timestamp(),
         status = case when succeeded + failed + skipped = total then 'COMPLETED' else 'RUNNING' end
       where id = $1::uuid`,
      [row.id],
    )
  },

  end: async (status, note, by) => {
    let skipped = 0
    for (let from = row.done_to; from < row.total; from += PIECE) {
      const { rowCount } = await client.query(
        `update command_bus_action_item set outcome = 'SKIPPED', message = $2::text
         where action_id = $1::uuid and ordinal > $3::int and ordinal <= $4::int and outcome is null`,
        [row.id, note, from, from + PIECE],
      )
      skipped += rowCount ?? 0
    }
    await client.query(
      `update command_bus_action set status = $2::text, note = $3, changed_by = $5::text,
         updated_at = clock_timestamp(), done_to = total, skipped = skipped + $4::int
       where id = $1`,
      [row.id, status, note, skipped, by],
    )
  },

  pause: async (note, by) => {
    await client.query(
      `update command_bus_action set status = 'PAUSED', note = $2::text, changed_by = $3::text,
         updated_at = clock_timestamp()
       where id = $1::uuid`,
      [row.id, note, by],
    )
  },

  resume: async by => {
    await client.query(
      `update command_bus_action set status = ${GOING_ON}, note = null, changed_by = $2::text,
         updated_at = clock_timestamp(), tokens = 0, tokens_at = clock_timestamp()
       where id = $1::uuid`,
      [row.id, by],
    )
  },
})
