import type { ClientBase } from 'pg'
import { rawClient } from '../connection/facade.ts'
import { findInstallation } from '../connection/installation.ts'
import { isSchemaName } from '../connection/names.ts'
import { MigrationError } from './schema-version.ts'

/**
 * Chooses the schema for the tables: `wanted`, which is created if it does not exist; by default the schema where they
 * are, or the first one of the search path.
 *
 * @throws MigrationError for a second installation, an invalid name, and other tables with the bus's names
 */
export const chooseSchema = async (client: ClientBase, wanted: string | undefined): Promise<string> => {
  if (wanted !== undefined && !isSchemaName(wanted)) {
    throw new MigrationError(`'${wanted}' cannot be a schema for commandbus: use letters, digits and underscores.`)
  }
  const here = await findInstallation(text => rawClient(client).query(text))
  if (here !== null) {
    if (wanted === undefined || wanted === here) return here
    throw new MigrationError(
      `This database has commandbus in the schema '${here}' already, and a second one in '${wanted}' would work on the ` +
        `same queues: leave the schema out to keep '${here}', or use a database of its own.`,
    )
  }
  const { rows } = await client.query<{ first: string | null }>('select pg_catalog.current_schema()::text as first')
  const schema = wanted ?? rows[0]?.first ?? null
  if (schema === null) {
    throw new MigrationError(
      'The search path names no schema that exists: name the one for the tables, as in `commandbus migrate --schema commandbus`.',
    )
  }
  if (!isSchemaName(schema)) {
    throw new MigrationError(
      `commandbus cannot work in the schema '${schema}': name another one, as in \`commandbus migrate --schema commandbus\`.`,
    )
  }
  if (wanted !== undefined) await client.query(`create schema if not exists "${wanted}"`)
  await refuseStrangers(client, schema)
  return schema
}

/** Refuses tables with the bus's names that are another library's, or are left of an installation. */
const refuseStrangers = async (client: ClientBase, schema: string): Promise<void> => {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname::text as name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1::text and c.relkind in ('r', 'p', 'v', 'm', 'f') and starts_with(c.relname::text, 'command_bus_')
     order by 1 limit 1`,
    [schema],
  )
  const [first] = rows
  if (first === undefined) return
  throw new MigrationError(
    `The schema '${schema}' has a table '${first.name}' that commandbus did not make: give commandbus a schema of its own, ` +
      'as in `commandbus migrate --schema commandbus`.',
  )
}

/**
 * Pins the settings of the bus's functions, so that they work the same in every session: they find the bus's tables, and
 * their text is read as it was written. SQL functions need no pin: their bodies are resolved when they are created, or
 * name nothing of the bus.
 */
export const pinFunctions = async (client: ClientBase, schema: string): Promise<void> => {
  await client.query(`
    do $do$
    declare
      f regprocedure;
    begin
      for f in
        select p.oid from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
        where p.pronamespace = '"${schema}"'::pg_catalog.regnamespace and l.lanname = 'plpgsql'
          and starts_with(p.proname::text, 'command_bus_')
      loop
        execute format('alter function %s set search_path = pg_catalog, %I, pg_temp', f, '${schema}');
        execute format('alter function %s set standard_conforming_strings = on', f);
      end loop;
    end $do$`)
}
