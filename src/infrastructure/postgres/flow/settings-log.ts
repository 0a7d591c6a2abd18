import type { Pool } from 'pg'
import type { SettingsLog } from '../../../application/ports/reading/settings-log.ts'
import { busCodec } from '../../codec/workflow-codec.ts'
import { decodeRow, type EventRow } from '../log/event-store.ts'

/** In a prefix's last place, the character after `-`: names with the prefix come before it. */
const beyond = (prefix: string): string => prefix.replace(/-$/, '.')

export const createSettingsLog = (pool: Pool): SettingsLog => ({
  until: async (prefix, at) => {
    const { rows } = await pool.query<EventRow>(
      `select e.stream, e.revision, e.id, e.type, e.data, e.meta from command_bus_event e
       where e.stream >= $1::text collate "C" and e.stream < $2::text collate "C" and e.meta->>'at' <= $3::text
       order by e.stream, e.revision`,
      [prefix, beyond(prefix), at],
    )
    return rows.map(row => decodeRow(busCodec, row))
  },
})
