import type { Pool } from 'pg'
import type { ActionStore } from '../../../application/ports/action-store.ts'
import { storableText } from '../../../application/shared/json.ts'
import { isMissingRelation, isUnavailable, toPublicError } from '../connection/errors.ts'
import { exactInstant } from '../connection/instant.ts'
import { createQueueCatalog } from '../queue/queue-catalog.ts'
import { decodeCursor, encodeCursor, invalidCursor } from '../reading/cursor.ts'
import { retryTransient } from '../transactions/retry-transient.ts'
import { changesOf, stateAt } from './action-changes.ts'
import { type ActionRow, actionColumns, becameIn, type ItemRow, itemOf, recordOf } from './action-rows.ts'
import { becameOf, settle, standingOf } from './became.ts'
import { insertAction } from './create-action.ts'
import { readDue } from './due-items.ts'
import { changesSince, printOf } from './plan-prints.ts'
import { OPEN, takeAction } from './take-action.ts'

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
    create: (action, print) =>
      retryTransient(async () => {
        const row = await insertAction(pool, action, print ?? null)
        // an earlier try whose answer was lost may have written it, and the runner may have changed the selection since
        return row === null ? get(action.id) : recordOf(row)
      }),

    get,

    list: async ({ status, tenantId, limit = DEFAULT_LIMIT, cursor }) => {
      const after = cursor === undefined ? null : decodeCursor(cursor)
      const { rows } = await pool.query<ActionRow & { readonly place: string }>(
        `select ${actionColumns}, ${exactInstant('command_bus_action.created_at')} as place from command_bus_action
         where ($1::text is null or status = $1) and ($2::text is null or tenant_id = $2)
           and ($3::timestamptz is null or (created_at, id) < ($3, $4::uuid))
         order by command_bus_action.created_at desc, id desc limit $5::int`,
        [status ?? null, tenantId ?? null, after?.at ?? null, after?.commandId ?? null, limit + 1],
      )
      const shown = rows.slice(0, limit)
      const last = rows.length > limit ? shown.at(-1) : undefined
      return {
        items: shown.map(recordOf),
        nextCursor: last === undefined ? null : encodeCursor({ at: last.place, domain: '', commandId: last.id }),
      }
    },

    items: async (id, { outcome, became, limit = DEFAULT_LIMIT, cursor }) => {
      const { rows } = await pool.query<ItemRow>(
        `select i.ordinal, i.domain, i.command_id, i.outcome, i.message, ${becameIn('i', 'a')} as became, i.became_code
         from command_bus_action_item i join command_bus_action a on a.id = i.action_id
         where i.action_id = $1::uuid and i.ordinal > $2::int and ($3::text is null or i.outcome = $3)
           and ($5::text is null or ${becameIn('i', 'a')} = $5)
         order by i.ordinal limit $4::int`,
        [id, cursor === undefined ? 0 : ordinalOf(cursor), outcome ?? null, limit + 1, became ?? null],
      )
      const shown = rows.slice(0, limit)
      return {
        items: shown.map(itemOf),
        nextCursor: rows.length > limit ? String(shown.at(-1)?.ordinal) : null,
      }
    },

    open: async () => {
      const { rows } = await pool.query<ActionRow>(
        `select ${actionColumns} from command_bus_action where ${OPEN}
         order by command_bus_action.created_at, id`,
      )
      return rows.map(recordOf)
    },

    due: (id, after, limit) => readDue(pool, id, after, limit),

    printOf: (selection, most) => printOf(pool, selection, most),
    changesSince: (selection, snapshot) => changesSince(pool, selection, snapshot),
    settle: id => settle(pool, id),
    standing: id => standingOf(pool, id),
    becameOf: (id, at) => becameOf(pool, id, at),
    changes: id => changesOf(pool, id),
    stateAt: (id, at) => stateAt(pool, id, at),

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
