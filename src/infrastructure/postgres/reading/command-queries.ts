import type { Pool } from 'pg'
import type { AuditEntry, CommandDetail, CommandQueries } from '../../../application/ports/reading/command-queries.ts'
import { commandStream } from '../../../domain/command/names.ts'
import { columnsOf } from '../connection/instant.ts'
import { joinLast, joinSent, resultOf, wholeColumns } from './command-columns.ts'
import { createCommandLists } from './command-lists.ts'
import { cutObject } from './cut-json.ts'
import { commandIdIs } from './domains.ts'
import { createParkedLists } from './parked-lists.ts'

/** Queries of commands on PostgreSQL. A page begins at the key where the last one ended, so late pages cost no more. */
export const createCommandQueries = (pool: Pool): CommandQueries => ({
  ...createCommandLists(pool),
  ...createParkedLists(pool),

  get: async (domain, commandId) =>
    (await byKey(pool, 'c.domain = $1 and c.command_id = $2::uuid', [domain, commandId]))[0] ?? null,

  find: commandId => byKey(pool, commandIdIs('c', '$1::uuid'), [commandId]),

  auditTrail: async (domain, commandId, { eventType } = {}) => {
    const { rows } = await pool.query(
      `select ${auditColumns} from command_bus_audit a where a.stream = $1 and ($2::text is null or a.event_type = $2)
       order by a.revision, a.audit_id`,
      [commandStream({ domain, commandId }), eventType ?? null],
    )
    return rows.map(
      (row): AuditEntry => ({
        auditId: row.audit_id,
        domain: row.domain,
        commandId: row.command_id,
        eventType: row.event_type,
        ts: row.ts,
        actor: row.actor,
        revision: Number(row.revision),
        details: row.details_json,
      }),
    )
  },
})

const byKey = async (pool: Pool, where: string, values: unknown[]): Promise<readonly CommandDetail[]> => {
  const { rows } = await pool.query<CommandDetail>(
    `select ${wholeColumns('c')}, sent.data->'data' as data, ${resultOf} as result
     from command_bus_command c ${joinSent} ${joinLast} where ${where} order by c.domain`,
    values,
  )
  return rows
}

const auditColumns = `${columnsOf(
  'a',
  ['audit_id', 'domain', 'command_id', 'event_type', 'actor', 'revision'],
  ['ts'],
)}, ${cutObject('a.details_json')} as details_json`
