import type { Pool } from 'pg'
import type { SensitivePath, SensitivePaths } from '../../../application/sensitive/sensitive-paths.ts'

/** What another process has declared is known here so much later, at the most. */
const KNOWN_MS = 2_000

/** The declared paths in `command_bus_sensitive`, with those of the last seconds from memory. */
export const createSensitivePaths = (pool: Pool): SensitivePaths => {
  let kept: { readonly paths: Promise<readonly SensitivePath[]>; readonly until: number } | null = null
  const read = async (): Promise<readonly SensitivePath[]> => {
    const { rows } = await pool.query<{ domain: string; command_type: string; path: string }>(
      'select s.domain, s.command_type, s.path from command_bus_sensitive s order by 1, 2, 3',
    )
    return rows.map(({ domain, command_type: commandType, path }) => ({ domain, commandType, path }))
  }
  return {
    known: async () => {
      if (kept === null || kept.until <= performance.now()) {
        const reading = { paths: read(), until: performance.now() + KNOWN_MS }
        kept = reading
        reading.paths.catch(() => {
          if (kept === reading) kept = null
        })
      }
      return kept.paths
    },
    declare: async paths => {
      if (paths.length === 0) return
      await pool.query('select command_bus_declare_sensitive($1)', [
        JSON.stringify(
          paths.map(({ domain, commandType, path }) => ({ of_domain: domain, of_type: commandType, of_path: path })),
        ),
      ])
      kept = null
    },
    remove: async ({ domain, commandType, path }) => {
      const { rowCount } = await pool.query(
        'delete from command_bus_sensitive s where s.domain = $1 and s.command_type = $2 and s.path = $3',
        [domain, commandType, path],
      )
      kept = null
      return (rowCount ?? 0) > 0
    },
  }
}
