import { UnavailableError } from '../../../application/shared/errors.ts'
import { isSchemaName } from './names.ts'

/** Runs one statement on the connection whose database is asked about. */
export type Ask = (text: string) => Promise<{ readonly rows: readonly { readonly schema: string }[] }>

/**
 * The schema that holds the bus's tables, independent of the search path; null before the first migration.
 *
 * @throws UnavailableError for two installations in one database: they would work on the same queues
 */
export const findInstallation = async (ask: Ask): Promise<string | null> => {
  const { rows } = await ask(
    `select n.nspname::text as schema from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relname = 'command_bus_migration' and c.relkind = 'r' and c.relpersistence <> 't' order by 1`,
  )
  const [first, second] = rows.map(({ schema }) => schema)
  if (second !== undefined) {
    throw new UnavailableError(
      `this database has commandbus in the schemas '${first}' and '${second}', which would take each other's messages: ` +
        'drop one of them, or move it to a database of its own',
    )
  }
  if (first !== undefined && !isSchemaName(first)) {
    throw new UnavailableError(
      `commandbus cannot work in the schema '${first}': rename it to letters, digits and underscores`,
    )
  }
  return first ?? null
}
