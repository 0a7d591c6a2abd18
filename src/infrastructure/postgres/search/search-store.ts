import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { Searchable, SearchStore } from '../../../application/ports/search/searchable.ts'
import { UnavailableError } from '../../../application/shared/errors.ts'
import { instant } from '../connection/instant.ts'
import { streamOf } from '../log/command-streams.ts'

/** In the table, for a declaration of every domain. */
const EVERY = '*'
/** Commands in one statement of a walk. */
const PAGE = 2_000
const WAIT_MS = 100
const LONGEST_WAIT_MS = 600_000

/** Declarations, and the values of commands that were sent before them. */
export const createSearchStore = (pool: Pool): SearchStore => {
  /**
   * Waits until all have ended that write now: they may not have seen a declaration. Each holds the lock of writers, so nobody
   * has to wait for this.
   */
  const writersEnded = async (): Promise<void> => {
    const { rows } = await pool.query<{ vxid: string }>(`select virtualtransaction as vxid ${WRITERS}`)
    const begun = rows.map(({ vxid }) => vxid)
    for (const since = performance.now(); begun.length > 0; await delay(WAIT_MS)) {
      const { rows: left } = await pool.query(`select ${WRITERS} and virtualtransaction = any ($1::text[]) limit 1`, [
        begun,
      ])
      if (left.length === 0) return
      if (performance.now() - since > LONGEST_WAIT_MS) {
        throw new UnavailableError(
          'a transaction that has sent commands stays open: end it, then declare the paths again',
        )
      }
    }
  }

  /** Runs a statement over all commands, in pages by their key. */
  const walk = async (statement: string, values: readonly unknown[] = []): Promise<void> => {
    for (let after: readonly [string, string] = ['', '00000000-0000-0000-0000-000000000000']; ; ) {
      const { rows } = await pool.query<{ domain: string; command_id: string }>(page(statement), [...after, ...values])
      const [last] = rows
      if (last === undefined) return
      after = [last.domain, last.command_id]
    }
  }

  return {
    list: async () => {
      const { rows } = await pool.query<Searchable>(
        `select nullif(domain, '${EVERY}') as domain, command_type as "commandType", path, declared_by as "declaredBy",
           ${instant('declared_at')} as "declaredAt", ${instant('filled_at')} as "filledAt"
         from command_bus_searchable order by command_type, path, domain`,
      )
      return rows
    },

    declare: async (keys, actor) => {
      await pool.query(
        `insert into command_bus_searchable (domain, command_type, path, declared_by)
         select coalesce(x.domain, '${EVERY}'), x.type, x.path, $4::text from unnest($1::text[], $2::text[], $3::text[]) x(domain, type, path)
         on conflict do nothing`,
        [keys.map(one => one.domain), keys.map(one => one.commandType), keys.map(one => one.path), actor],
      )
    },

    drop: async ({ domain, commandType, path }) => {
      const { rowCount } = await pool.query(
        'delete from command_bus_searchable where domain = $1::text and command_type = $2::text and path = $3::text',
        [domain ?? EVERY, commandType, path],
      )
      return rowCount === 1
    },

    fill: async () => {
      const { rows } = await pool.query<{ key: string; type: string }>(
        `select ${KEY} as key, command_type as type from command_bus_searchable where filled_at is null`,
      )
      if (rows.length === 0) return
      await writersEnded()
      await walk(FILL, [rows.map(({ type }) => type)])
      await pool.query(
        `update command_bus_searchable set filled_at = clock_timestamp() where ${KEY} = any ($1::text[]) and filled_at is null`,
        [rows.map(({ key }) => key)],
      )
    },

    tidy: async () => {
      const { rows } = await pool.query(`select ${UNDECLARED} limit 1`)
      if (rows.length === 0) return
      await writersEnded()
      await walk(TIDY)
      await pool.query(ORPHANS)
    },
  }
}

/** SQL: a declaration, and when it was made: one that was removed and made again is another one. */
const KEY = `concat_ws(' ', domain, command_type, path, declared_at)`

/** SQL: the transactions that hold the lock of those who write. */
const WRITERS = `from pg_locks where locktype = 'advisory' and objsubid = 1 and granted
  and database = (select oid from pg_database where datname = current_database())
  and (classid::bigint << 32) | objid::bigint = command_bus_lock()`

/** SQL: whether value `v` is of a path that nobody declares for its command. */
const UNDECLARED = `from command_bus_search_value v
  left join command_bus_command c on c.domain = v.domain and c.command_id = v.command_id
  where not exists (
    select from command_bus_searchable s where s.path = v.path and s.command_type = c.command_type and s.domain in (c.domain, '${EVERY}'))`

const page = (statement: string): string => `
  with page as materialized (
    select c.domain, c.command_id, c.command_type, c.data_revision, c.created_at from command_bus_command c
    where (c.domain, c.command_id) > ($1::text collate "C", $2::uuid) order by c.domain, c.command_id limit ${PAGE}),
  done as (${statement})
  select domain, command_id from page order by domain desc, command_id desc limit 1`

/** A value that is there already is newer than this statement, or the same. */
const FILL = `
  insert into command_bus_search_value (domain, command_id, path, value, created_at)
  select c.domain, c.command_id, f.path, f.value, c.created_at
  from page c
  join command_bus_event e on e.stream = ${streamOf('c')} and e.revision = c.data_revision
  cross join lateral command_bus_search_of(c.domain, c.command_type, e.data->'data') f
  where c.command_type = any ($3::text[]) and f.value is not null
  on conflict do nothing`

const TIDY = `
  delete from command_bus_search_value d using (select v.domain, v.command_id, v.path ${UNDECLARED} and (v.domain, v.command_id) in (
    select domain, command_id from page)) gone
  where d.domain = gone.domain and d.command_id = gone.command_id and d.path = gone.path`

/** Of commands that were archived meanwhile. */
const ORPHANS = `
  delete from command_bus_search_value v
  where not exists (select from command_bus_command c where c.domain = v.domain and c.command_id = v.command_id)`
