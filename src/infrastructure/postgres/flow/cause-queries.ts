import type { Pool } from 'pg'
import type { CauseQueries } from '../../../application/ports/reading/flow-queries.ts'

const MOST = 100

export const createCauseQueries = (pool: Pool): CauseQueries => ({
  find: async ({ domain, commandType, errorCode }) => {
    const { rows } = await pool.query(
      `select domain, command_type as "commandType", error_code as "errorCode" from command_bus_cause
       where ($1::text is null or domain = $1) and ($2::text is null or command_type = $2) and ($3::text is null or error_code = $3)
       order by updated_at desc, cause_id limit ${MOST}`,
      [domain, commandType, errorCode],
    )
    return rows
  },
})
