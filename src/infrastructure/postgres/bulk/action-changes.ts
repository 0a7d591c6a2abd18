import type { Pool } from 'pg'
import type { ActionChange } from '../../../application/ports/action-store.ts'
import { instant } from '../connection/instant.ts'

const columns = `${instant('c.at')} as at, c.status, c.stage, c.note, c.changed_by as by, c.succeeded, c.failed, c.skipped`

const SHOWN = 200

/** Only those of status and stage: how far it came in between is left out. */
export const changesOf = async (pool: Pool, id: string): Promise<readonly ActionChange[]> => {
  const { rows } = await pool.query<ActionChange>(
    `select ${columns} from (
       select *, (status, stage) is distinct from lag((status, stage)) over (order by number) as turned
       from command_bus_action_change where action_id = $1::uuid) c
     where c.turned order by c.number desc limit ${SHOWN}`,
    [id],
  )
  return rows.reverse()
}

export const stateAt = async (pool: Pool, id: string, at: string): Promise<ActionChange | null> => {
  const { rows } = await pool.query<ActionChange>(
    `select ${columns} from command_bus_action_change c
     where c.action_id = $1::uuid and c.at <= $2::timestamptz order by c.number desc limit 1`,
    [id, at],
  )
  return rows[0] ?? null
}
