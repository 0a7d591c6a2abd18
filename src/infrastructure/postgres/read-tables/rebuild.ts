import { setTimeout as delay } from 'node:timers/promises'
import type { ClientBase, Pool } from 'pg'
import { unhurried } from '../connection/database.ts'
import { isRefusedLock } from '../connection/errors.ts'
import { inTransaction } from '../connection/with-client.ts'
import { comparePositions, type LogPosition, readHead, startOfLog } from '../log/log-reader.ts'
import { MIGRATION_LOCK, readApplied } from '../schema/schema-version.ts'
import { assertSessions, clientLike } from '../transactions/pool.ts'
import { type LogPage, readLogPage } from './command-log.ts'
import { COMMAND_TABLE, readTableNames } from './read-tables.ts'
import { applyEvents } from './rebuild-rows.ts'
import { type FreshTable, makeFreshTable, RebuildError } from './rebuild-table.ts'
import { readDeclared } from './search-values.ts'

/** How far a rebuild is. */
export interface RebuildProgress {
  /** Events applied so far. */
  readonly events: number
  /** The estimated number of all events. */
  readonly total: number
}

export interface RebuildOptions {
  readonly pool: Pool
  readonly onProgress?: (progress: RebuildProgress) => void
}

/** What a rebuild has read and written. */
export interface Rebuilt {
  readonly events: number
  readonly commands: number
}

/** This many events are applied quickly enough under lock. */
const LITTLE = 2_000
/** If the rebuild has not caught up after so many rounds, it applies the rest under lock. */
const CATCH_UP_ROUNDS = 20
/** How often the swap is tried while long transactions block it; between two tries, others go on. */
const SWAP_TRIES = 20
const LONGEST_PAUSE_MS = 5_000
/** A swap that gets no locks in this time gives up, so that writers wait no longer, and before a deadlock check starts. */
const LOCK_TIMEOUT_MS = 250

/**
 * Makes the rows of commands, runs, templates, credits and settings, and the values to search by, again from the log and swaps them
 * in, all at one instant. The bus goes on meanwhile: only the last events are applied under lock. Queues do not change, and no
 * message is sent again.
 *
 * @throws RebuildError when another rebuild runs, when something is attached to a table, when the tables are migrated meanwhile, or when
 * the swap gets no locks
 */
export const rebuildCommands = async ({ pool, onProgress = () => {} }: RebuildOptions): Promise<Rebuilt> => {
  await assertSessions(pool, 'a rebuild', message => new RebuildError(message))
  // not from the pool, which pages are read from: work that holds one of its connections must not wait for a second one
  const connection = clientLike(pool)
  // if the connection breaks, its next statement fails
  connection.on('error', () => {})
  await connection.connect()
  const client = unhurried(connection)
  try {
    return await underRebuildLock(client, async () => {
      const fresh = new Map<string, FreshTable>()
      try {
        const version = (await readApplied(client)).length
        for (const table of readTableNames) fresh.set(table, await makeFreshTable(client, table))
        return await fillAndSwap(pool, client, { version, fresh }, onProgress)
      } catch (error) {
        for (const table of fresh.values()) await table.drop().catch(() => {})
        throw error
      }
    })
  } finally {
    await connection.end().catch(() => {})
  }
}

/** Runs `work` under the lock of rebuilds. The lock belongs to the session, so a broken connection frees it. */
const underRebuildLock = async <A>(client: ClientBase, work: () => Promise<A>): Promise<A> => {
  const key = `hashtextextended('commandbus:rebuild', 0)`
  const { rows } = await client.query(`select pg_try_advisory_lock(${key}) as ours`)
  if (rows[0].ours !== true) throw new RebuildError('another rebuild is running: wait for it, or end it')
  try {
    return await work()
  } finally {
    await client.query(`select pg_advisory_unlock(${key})`).catch(() => {})
  }
}

const fillAndSwap = async (
  pool: Pool,
  client: ClientBase,
  { version, fresh }: { readonly version: number; readonly fresh: ReadonlyMap<string, FreshTable> },
  onProgress: (progress: RebuildProgress) => void,
): Promise<Rebuilt> => {
  const tables = [...fresh.values()]
  const nameOf = (table: string): string => fresh.get(table)?.name ?? table
  const declared = await readDeclared(client)
  const isSearched = declared !== null
  const total = Number((await readHead(client))?.position ?? 0)
  let after = startOfLog
  let events = 0
  const report = (more: number): void => {
    events += more
    onProgress({ events, total: Math.max(total, events) })
  }

  /** Applies the log up to now, each page in its own transaction, while the next page is read. */
  const follow = async (): Promise<number> => {
    const head = (await readHead(client)) ?? startOfLog
    const before = events
    const pageAfter = (place: LogPosition): Promise<LogPage> | null => {
      const page = comparePositions(place, head) < 0 ? readLogPage(pool, place, 'at work') : null
      // the code that awaits it gets its error, unless an earlier error comes first
      page?.catch(() => {})
      return page
    }
    for (let reading = pageAfter(after); reading !== null; ) {
      const page = await reading
      if (page.isLast) break
      reading = pageAfter(page.end)
      await withSetting(client, 'set local synchronous_commit = off', () =>
        applyEvents(client, nameOf, page.events, isSearched),
      )
      after = page.end
      report(page.events.length)
    }
    return events - before
  }

  /** Applies the events that came meanwhile, again and again, until few are left for the time under lock. */
  const catchUp = async (): Promise<void> => {
    for (let round = 0; round < CATCH_UP_ROUNDS; round++) if ((await follow()) < LITTLE) return
  }

  /** Locks writers out, applies the rest of the log, then swaps the tables. */
  const finish = async (): Promise<void> => {
    // no migration is under way then
    await client.query('select pg_advisory_xact_lock(hashtextextended($1::text, 0))', [MIGRATION_LOCK])
    await client.query('select pg_advisory_xact_lock(command_bus_lock())')
    await client.query(`lock table ${tables.map(({ replaces }) => replaces).join(', ')} in access exclusive mode`)
    if ((await readDeclared(client)) !== declared) {
      throw new RebuildError('what payloads are searched by has changed meanwhile: rebuild again')
    }
    if ((await readApplied(client)).length !== version) {
      throw new RebuildError('the tables were migrated meanwhile: rebuild again')
    }
    let more = 0
    let page = await readLogPage(client, after, 'locked out')
    for (; !page.isLast; page = await readLogPage(client, page.end, 'locked out')) {
      await applyEvents(client, nameOf, page.events, isSearched)
      more += page.events.length
    }
    for (const table of tables) await table.swap()
    report(more)
  }

  await catchUp()
  for (const table of tables) await table.makeIndexes()
  for (let tries = 1; ; tries++) {
    await catchUp()
    try {
      await withSetting(client, `set local lock_timeout = ${LOCK_TIMEOUT_MS}`, finish)
      break
    } catch (error) {
      if (!isRefusedLock(error)) throw error
      if (tries === SWAP_TRIES) {
        throw new RebuildError(
          'the rebuilt tables could not replace the old ones, because transactions on those or on the log stay open: ' +
            'end them, then rebuild again',
          { cause: error },
        )
      }
      await delay(Math.min(LONGEST_PAUSE_MS, 50 * 2 ** tries))
    }
  }
  const { rows } = await client.query(`select count(*)::int as n from ${COMMAND_TABLE}`)
  return { events, commands: rows[0].n }
}

const withSetting = (client: ClientBase, setting: string, work: () => Promise<void>): Promise<void> =>
  inTransaction(client, async () => {
    await client.query(setting)
    await work()
  })
