import { setTimeout as delay } from 'node:timers/promises'
import type { Client, ClientBase } from 'pg'
import { CommandBusError } from '../../application/shared/errors.ts'
import { isRefusal, isRefusedLock } from '../postgres/connection/errors.ts'
import { OLDEST_RUNNING } from '../postgres/log/log-reader.ts'
import { isFromElsewhere } from '../postgres/log/own-cluster.ts'
import { assertSchemaCurrent } from '../postgres/schema/schema-version.ts'
import { asOnlyProcess } from '../postgres/transactions/only-process.ts'
import type { Signer } from '../proof/chain/keys.ts'
import { holdSeals, sealAbout } from '../proof/chain/seals.ts'
import { applyAdoption, countPlaces, makeMap, type PlaceCounts } from './adopt-places.ts'

/** The log was not adopted and is unchanged; `message` says what to do. */
export class AdoptLogError extends CommandBusError {
  override readonly name = 'AdoptLogError'
}

export interface AdoptionPlan extends PlaceCounts {
  /** The first and last transaction id in the log as it was restored. */
  readonly from: { readonly first: string; readonly last: string }
  /** The first and last transaction id after the adoption. */
  readonly to: { readonly first: string; readonly last: string }
  /** How many ids of this server must be used up first, as it has given out too few for the order of the log. */
  readonly usedUp: number
}

export interface AdoptionProgress {
  readonly phase: 'using up' | 'rewriting'
  readonly done: number
  readonly total: number
}

export interface AdoptLogOptions {
  readonly databaseUrl: string
  /** Signs a seal about the adoption; null: there is no such seal. */
  readonly signer: Signer | null
  /** Who does it; stored in the seal. */
  readonly by: string
  readonly onProgress?: (progress: AdoptionProgress) => void
}

const TRIES = 10
const PAUSE_MS = 500
/** Ids used up by one statement. */
const AT_ONCE = 20_000

/** Plans what `adoptLog` would do. Changes nothing. @throws AdoptLogError LOG_AT_HOME */
export const planAdoption = ({ databaseUrl }: Pick<AdoptLogOptions, 'databaseUrl'>): Promise<AdoptionPlan> =>
  asOnlyProcess({ databaseUrl, command: 'adopt-log', refusal: busy }, async client => {
    await begin(client)
    return planned(client)
  })

/**
 * Makes a log that was restored from another server's dump a log of this server. Gives events new transaction ids: as few as
 * keep the order of the feed, all below the oldest transaction that runs here. Positions stay, as seals cover them. Seals,
 * archived events and checkpoints get the new ids, too. All in one transaction.
 *
 * @throws AdoptLogError LOG_AT_HOME; BUSY when the log is in use; NOT_OWNER. SchemaVersionError before a migration
 */
export const adoptLog = (options: AdoptLogOptions): Promise<AdoptionPlan> => {
  const { databaseUrl, onProgress = () => {} } = options
  return asOnlyProcess({ databaseUrl, command: 'adopt-log', refusal: busy }, async client => {
    await begin(client)
    const plan = await planned(client)
    await useUp(client, plan.usedUp, onProgress)
    for (let tries = 1; ; tries++) {
      if (await rewrite(client, options)) break
      // ids become free when the oldest transaction that has written ends
      if (tries === TRIES) throw busy(await oldestWriter(client))
      await delay(PAUSE_MS)
    }
    // every row was rewritten, and a restored table has no statistics
    await client.query('vacuum (analyze) command_bus_event').catch(() => {})
    return plan
  })
}

const busy = (message: string): AdoptLogError => new AdoptLogError('BUSY', message)

const begin = async (client: ClientBase): Promise<void> => {
  await client.query('set statement_timeout = 0')
  await assertSchemaCurrent(client)
  await refuseAtHome(client)
}

const refuseAtHome = async (client: ClientBase): Promise<void> => {
  if (await isFromElsewhere(client)) return
  throw new AdoptLogError(
    'LOG_AT_HOME',
    'the log of this database is at home already: this server is past every transaction id in it, so there is nothing to adopt, and nothing was changed',
  )
}

const planned = async (client: ClientBase): Promise<AdoptionPlan> => {
  await client.query('begin isolation level repeatable read')
  try {
    await makeMap(client)
    const counts = await countPlaces(client)
    const { rows } = await client.query(
      `select min(was)::text as first, max(was)::text as last, min(becomes)::text as first_here, max(becomes)::text as last_here,
         greatest(0, max(becomes)::text::numeric + 1 - ${OLDEST_RUNNING}::text::numeric)::float8 as missing
       from command_bus_adoption`,
    )
    const { first, last, first_here, last_here, missing } = rows[0]
    return { ...counts, from: { first, last }, to: { first: first_here, last: last_here }, usedUp: missing }
  } finally {
    await client.query('rollback').catch(() => {})
  }
}

/** Uses one transaction for each id, which writes nothing and so does not wait for the disk. */
const useUp = async (
  client: ClientBase,
  count: number,
  onProgress: (progress: AdoptionProgress) => void,
): Promise<void> => {
  for (let done = 0; done < count; ) {
    const next = Math.min(AT_ONCE, count - done)
    await client.query(`do $$ begin for i in 1 .. ${next} loop perform pg_current_xact_id(); commit; end loop; end $$`)
    done += next
    onProgress({ phase: 'using up', done, total: count })
  }
}

/** False: this server has not given out enough ids that are no longer in use; nothing was changed. */
const rewrite = async (client: Client, { signer, by, onProgress }: AdoptLogOptions): Promise<boolean> => {
  await client.query('begin')
  try {
    await lockOut(client)
    await refuseAtHome(client)
    const { rows } = await client.query(`select ${OLDEST_RUNNING}::text as bound`)
    const { bound } = rows[0]
    await makeMap(client)
    const range = await client.query(
      'select min(was)::text as first, max(was)::text as last, max(becomes) < $1::xid8 as fits from command_bus_adoption',
      [bound],
    )
    const { first, last, fits } = range.rows[0]
    if (!fits) {
      await client.query('rollback')
      return false
    }
    const { events } = await applyAdoption(client, (done, total) => onProgress?.({ phase: 'rewriting', done, total }))
    if (signer !== null) await sealAbout(client, signer, { adopted: { events, first, last, by } })
    await client.query('commit')
    return true
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw refusedBy(error)
  }
}

/** Stops appends, seals and archiving until the transaction ends. Takes the locks in the same order as they do. */
const lockOut = async (client: ClientBase): Promise<void> => {
  await client.query(`set local lock_timeout = '1s'`)
  await client.query('select pg_advisory_xact_lock(command_bus_lock())')
  await holdSeals(client)
  // an autovacuum gives way after about a second
  await client.query(`set local lock_timeout = '10s'`)
  await client.query(
    `lock table command_bus_event, command_bus_archived_event, command_bus_seal, command_bus_checkpoint in share row exclusive mode`,
  )
  await client.query('set local lock_timeout = 0')
}

const refusedBy = (error: unknown): unknown => {
  if (isRefusedLock(error)) {
    return busy(
      'another session locks the log of this database: stop every service and worker, and end open transactions',
    )
  }
  if (isRefusal(error)) {
    return new AdoptLogError('NOT_OWNER', 'only the owner of the tables may do this: connect as the role that migrates')
  }
  return error
}

const oldestWriter = async (client: ClientBase): Promise<string> => {
  const { rows } = await client.query(
    `select pid, extract(epoch from clock_timestamp() - xact_start)::int as seconds from pg_stat_activity
     where backend_xid is not null and pid <> pg_backend_pid() order by xact_start limit 1`,
  )
  const which = rows[0] === undefined ? '' : ` (process ${rows[0].pid}, open for ${rows[0].seconds} s)`
  return `a transaction that has written is open on this server${which}: end it, then try again`
}
