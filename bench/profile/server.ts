import pg from 'pg'

/** The embedded server counts its statements with these. */
export const countStatements = {
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.max': '10000',
  'pg_stat_statements.track': 'all',
  'pg_stat_statements.track_planning': 'on',
} as const

/** All calls of one statement together. */
export type Statement = {
  readonly calls: number
  readonly executingUs: number
  readonly planningUs: number
  readonly meanMs: number
  readonly rows: number
  readonly walBytes: number
  /** Called by a function, whose own time has this in it. */
  readonly nested: boolean
  readonly text: string
}

/** All records of one type that were written to the write-ahead log. */
export type WalRecord = {
  readonly type: string
  readonly count: number
  readonly bytes: number
  /** What of `bytes` is whole pages, written at their first change after a checkpoint. */
  readonly pageBytes: number
}

export type Facts<Fact> = { readonly rows: readonly Fact[] } | { readonly missing: string }

export type ServerTimes = {
  readonly walBytes: number
  readonly statements: Facts<Statement>
  readonly walRecords: Facts<WalRecord>
}

export type Watch = {
  /** Counts from now on; the result ends it. */
  readonly begin: () => Promise<() => Promise<ServerTimes>>
  readonly close: () => Promise<void>
}

const selectStatements = `
  select calls::float8 as calls, total_exec_time * 1000 as "executingUs", total_plan_time * 1000 as "planningUs",
    mean_exec_time as "meanMs", rows::float8 as rows, wal_bytes::float8 as "walBytes", not toplevel as nested,
    left(trim(regexp_replace(query, '\\s+', ' ', 'g')), 120) as text
  from pg_stat_statements
  where dbid = (select oid from pg_database where datname = current_database()) and calls > 0
    and query !~ 'pg_stat_statements'
  order by total_exec_time + total_plan_time desc`

const resetStatements =
  'select pg_stat_statements_reset(0, (select oid from pg_database where datname = current_database()), 0)'

const selectWalRecords = `
  select "resource_manager/record_type" as type, count::float8 as count, combined_size::float8 as bytes,
    fpi_size::float8 as "pageBytes"
  from pg_get_wal_stats($1, $2, true) where count > 0
  order by combined_size desc`

/** Records are read from what is on disk, and a commit of a notification alone does not wait for that. */
const flushWal = `select pg_logical_emit_message(true, 'commandbus_bench', '')`

/** What the server did between two moments. A part that it cannot tell says why. */
export const watchServer = async (url: string): Promise<Watch> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()

  const facts = async <Fact extends object>(sql: string, values: readonly string[] = []): Promise<Facts<Fact>> => {
    try {
      return { rows: (await client.query<Fact>(sql, [...values])).rows }
    } catch (error) {
      if (error instanceof pg.DatabaseError) return { missing: error.message }
      throw error
    }
  }

  const selectPosition = async (): Promise<string> => {
    const { rows } = await client.query<{ position: string }>('select pg_current_wal_insert_lsn()::text as position')
    return rows[0]?.position ?? ''
  }

  const end = async (from: string, reset: Facts<object>): Promise<ServerTimes> => {
    const statements = 'missing' in reset ? reset : await facts<Statement>(selectStatements)
    const to = await selectPosition()
    await client.query(flushWal)
    const { rows } = await client.query<{ bytes: number }>(
      'select pg_wal_lsn_diff($1::pg_lsn, $2::pg_lsn)::float8 as bytes',
      [to, from],
    )
    return {
      walBytes: rows[0]?.bytes ?? Number.NaN,
      statements,
      walRecords: await facts<WalRecord>(selectWalRecords, [from, to]),
    }
  }

  await facts('create extension if not exists pg_stat_statements')
  await facts('create extension if not exists pg_walinspect')
  return {
    begin: async () => {
      const from = await selectPosition()
      const reset = await facts(resetStatements)
      return () => end(from, reset)
    },
    close: () => client.end(),
  }
}
