import type { Pool } from 'pg'
import type { ActionStore, CanaryVerdict } from '../../../application/ports/action-store.ts'
import { storableText } from '../../../application/shared/json.ts'
import type { CommandEventType } from '../../../domain/command/events.ts'
import { staying, transitions } from '../../../domain/command/transitions.ts'
import { isMissingRelation, isUnavailable, toPublicError } from '../connection/errors.ts'
import { streamOf } from '../log/command-streams.ts'
import { createQueueCatalog } from '../queue/queue-catalog.ts'
import { decodeCursor, encodeCursor, invalidCursor } from '../reading/cursor.ts'
import { retryTransient } from '../transactions/retry-transient.ts'
import { type ActionRow, actionColumns, type ItemRow, itemOf, recordOf } from './action-rows.ts'
import { insertAction } from './create-action.ts'
import { readDue } from './due-items.ts'
import { takeAction } from './take-action.ts'

const DEFAULT_LIMIT = 100

/** Bulk actions in the tables `command_bus_action` and `command_bus_action_item`, beside the log they work on. */
export const createActionStore = (pool: Pool): ActionStore => {
  const get: ActionStore['get'] = async id => {
    const { rows } = await pool.query<ActionRow>(
      `select ${actionColumns} from command_bus_action where id = $1::uuid`,
      [id],
    )
    return rows[0] === undefined ? null : recordOf(rows[0])
  }

  return {
    create: action =>
      retryTransient(async () => {
        const row = await insertAction(pool, action)
        const record = row === null ? await get(action.id) : recordOf(row)
        if (record === null) throw new Error(`action ${action.id} is gone`)
        return record
      }),

    get,

    list: async ({ status, tenantId, limit = DEFAULT_LIMIT, cursor }) => {
      const after = cursor === undefined ? null : decodeCursor(cursor)
      const { rows } = await pool.query<ActionRow>(
        `select ${actionColumns} from command_bus_action
         where ($1::text is null or status = $1) and ($2::text is null or tenant_id = $2)
           and ($3::timestamptz is null or (created_at, id) < ($3, $4::uuid))
         order by command_bus_action.created_at desc, id desc limit $5::int`,
        [status ?? null, tenantId ?? null, after?.at ?? null, after?.commandId ?? null, limit + 1],
      )
      const shown = rows.slice(0, limit)
      const last = rows.length > limit ? shown.at(-1) : undefined
      return {
        items: shown.map(recordOf),
        nextCursor: last === undefined ? null : encodeCursor({ at: last.created_at, domain: '', commandId: last.id }),
      }
    },

    items: async (id, { outcome, limit = DEFAULT_LIMIT, cursor }) => {
      const { rows } = await pool.query<ItemRow>(
        `select ordinal, domain, command_id, outcome, message from command_bus_action_item
         where action_id = $1::uuid and ordinal > $2::int and ($3::text is null or outcome = $3)
         order by ordinal limit $4::int`,
        [id, cursor === undefined ? 0 : ordinalOf(cursor), outcome ?? null, limit + 1],
      )
      const shown = rows.slice(0, limit)
      return {
        items: shown.map(itemOf),
        nextCursor: rows.length > limit ? String(shown.at(-1)?.ordinal) : null,
      }
    },

    open: async () => {
      const { rows } = await pool.query<ActionRow>(
        `select ${actionColumns} from command_bus_action where status in ('RUNNING', 'WAITING_FOR_CANARY')
         order by command_bus_action.created_at, id`,
      )
      return rows.map(recordOf)
    },

    due: (id, after, limit) => readDue(pool, id, after, limit),

    canary: id => canaryOf(pool, id),

    take: (id, { wait }, work) =>
      retryTransient(async () => {
        try {
          return await takeAction(pool, id, wait, work)
        } catch (error) {
          if (!isMissingRelation(error)) throw error
          // a queue is gone: it is made again, as single actions do
          await createQueueCatalog(pool).ensure(await queuesOf(pool, id))
          return takeAction(pool, id, wait, work)
        }
      }),

    faultOf: error =>
      isUnavailable(error) && !isMissingRelation(error) ? null : storableText(toPublicError(error).message, 1000),
  }
}

const ordinalOf = (cursor: string): number => {
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor)
  throw invalidCursor()
}

/** Events that end a retry, as a success or a failure. */
const decisive = Object.entries(transitions)
  .filter(([, { to }]) => to !== 'PENDING' && to !== 'IN_PROGRESS')
  .map(([type]) => type as CommandEventType)
  .filter(type => !staying.includes(type))

/** Reads from the log how each retry ended, as the command may have gone on since. */
const canaryOf = async (pool: Pool, id: string): Promise<CanaryVerdict> => {
  const { rows } = await pool.query<{ command_id: string; type: CommandEventType | null; code: string | null }>(
    `select i.command_id, e.type, e.code
     from command_bus_action_item i
     left join lateral (
       select e.type, e.data#>>'{error,code}' as code from command_bus_event e
       where e.stream = ${streamOf('i')} and e.revision > i.revision + 1
         and e.type = any ($2::text[])
       order by e.revision limit 1) e on true
     where i.action_id = $1::uuid and i.outcome = 'SUCCEEDED'
       and i.ordinal <= (select done_to from command_bus_action where id = $1)
       and (e.type is null or e.type <> 'CommandCompleted')
     order by e.type is null, i.ordinal limit 1`,
    [id, decisive],
  )
  const [first] = rows
  if (first === undefined) return { verdict: 'passed' }
  if (first.type === null) return { verdict: 'waiting' }
  const why = first.code === null ? '' : ` (${first.code})`
  return {
    verdict: 'stumbled',
    why: `the canary failed: command ${first.command_id} is ${transitions[first.type].to} after its retry${why}`,
  }
}

const queuesOf = async (pool: Pool, id: string): Promise<ReadonlySet<string>> => {
  const { rows } = await pool.query<{ queue: string }>(
    `select distinct q.queue from command_bus_action_item i
     join command_bus_command c on c.domain = i.domain and c.command_id = i.command_id
     cross join lateral (values (c.queue_name), (c.reply_queue)) q(queue)
     where i.action_id = $1::uuid and i.outcome is null and q.queue is not null`,
    [id],
  )
  return new Set(rows.map(row => row.queue))
}
