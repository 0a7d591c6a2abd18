import { setTimeout as delay } from 'node:timers/promises'
import type { ClientBase, Pool } from 'pg'
import type { Log } from '../../../application/ports/log.ts'
import { CommandBusError, InvalidInputError, UnavailableError } from '../../../application/shared/errors.ts'
import { maskSecrets } from '../../../application/shared/mask-secrets.ts'
import { isConnectionError, isNoAnswer, toPublicError } from '../connection/errors.ts'
import { breakOff } from '../network/give-up.ts'
import { poolingOf } from '../transactions/pool.ts'
import { createLag } from './lag.ts'

/** Whether lists are read from the replica now. */
export interface ReplicaHealth {
  /**
   * `used`: lists come from the replica. Otherwise from the primary: `late`: the replica is further behind than allowed;
   * `away`: it does not answer; `refused`: it is not a replica of the primary; `starting`: how far it is behind is not known yet.
   */
  readonly state: 'starting' | 'used' | 'late' | 'away' | 'refused'
  /** How old what it has is at most, in seconds; null: not known yet. */
  readonly lagSeconds: number | null
  /** Why lists come from the primary; null: they come from the replica. */
  readonly reason: string | null
}

/** The replica that lists are read from. */
export interface Replica {
  readonly health: () => ReplicaHealth
}

/** What a read may say, and learns. */
export interface ReplicaRead {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal
  /** Called when the answer came from the replica: how old it is at most, in milliseconds. */
  readonly onAge?: (ageMs: number) => void
}

/** Runs `there` on the replica while it is used, and `here` on the primary otherwise, or when `there` fails. */
export type ReadReplica = <A>(there: () => Promise<A>, here: () => Promise<A>, read?: ReplicaRead) => Promise<A>

export interface ReplicaDeps {
  /** A connection to the primary that nothing holds for long. */
  readonly primary: Pool
  /** The connections to the replica. */
  readonly pool: Pool
  /** One more, which no read holds. */
  readonly lookPool: Pool
  readonly maxLagMs: number
  readonly log: Log
}

const LOOK_EVERY_MS = 1_000
/** A replica that streams has what was just written after a few milliseconds: look again so often, and so soon. */
const LOOKS_FOR_NEWEST = 5
const LOOK_AGAIN_MS = 20
/** At most one warning about failed reads in this time. */
const WARN_EVERY_MS = 60_000

/** The same on a server and its physical replicas, and nowhere else: every role may ask. */
const IDENTITY = `(select system_identifier from pg_control_system()) || '/' ||
  (select oid from pg_database where datname = current_database())`
const PRIMARY = `select ${IDENTITY} as identity, (pg_current_wal_lsn() - '0/0'::pg_lsn)::text as position`
const REPLICA = `select ${IDENTITY} as identity, pg_is_in_recovery() as standby,
  (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::text as position`

const FOREIGN =
  'the server for reads (DATABASE_READ_URL) is not a physical replica of the primary, or it is another database of one: name a standby of it, or none'
const WRITABLE =
  'the server for reads (DATABASE_READ_URL) accepts writes: it is the primary itself, or a standby that has taken over; name a standby'
const AHEAD =
  'the server for reads (DATABASE_READ_URL) has what the primary has not: it followed another server before a failover; make it a standby of the primary again (pg_rewind, pg_basebackup)'
const UNKNOWN = 'how far the replica is behind is not known yet'
const NO_POSITION = 'the primary does not say how far it is'
const PRIMARY_INSTEAD = 'lists and histories are read from the primary'

interface Looked {
  readonly identity: string
  readonly standby: boolean
  readonly position: string | null
}

/** Looks at the replica every second, says whether it may be read, and sends reads there or to the primary. */
export const createReplica = ({ primary, pool, lookPool, maxLagMs, log }: ReplicaDeps) => {
  const open = new Set<ClientBase>()
  pool.on('connect', client => {
    open.add(client)
    client.once('end', () => open.delete(client))
  })
  const lag = createLag()
  let identity: string | null = null
  let state: ReplicaHealth['state'] = 'starting'
  let reason: string | null = UNKNOWN
  /** The replica has all that was committed before; null: not known. */
  let reached: number | null = null
  /** How old that was when it was found. */
  let measuredMs = 0
  /** When it was first looked at. */
  let began: number | undefined
  /** How far the replica was when it was looked at last: the primary, asked after that, is not behind it. */
  let replayed = 0n
  /** Where the replica was when the primary was not so far; null: they did not part. */
  let partedAt: bigint | null = null
  // what was found has to be allowed until it is looked at again
  const lookEveryMs = Math.min(LOOK_EVERY_MS, maxLagMs / 2)
  let warnAt = 0
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()
  let stopped = false

  const turn = (next: ReplicaHealth['state'], why: string | null): void => {
    const was = state
    state = next
    reason = why
    if (next === was) return
    if (why === null) log.info({ lagMs: Math.round(measuredMs) }, 'lists and histories are read from the replica')
    else log.warn({ reason: why }, PRIMARY_INSTEAD)
    // reads that wait for it fail now, and are made on the primary
    if (next === 'away' || next === 'refused') open.forEach(breakOff)
  }

  const askPrimary = async (): Promise<number> => {
    const at = performance.now()
    const { rows } = await primary.query<Looked & { readonly position: string }>(PRIMARY)
    if (rows[0] === undefined) throw new UnavailableError('no answer')
    identity = rows[0].identity
    const position = BigInt(rows[0].position)
    lag.written({ at, position })
    if (position < replayed) partedAt = replayed
    return at
  }

  const askReplica = async (): Promise<Looked | undefined> => {
    await poolingOf(lookPool)
    return (await lookPool.query<Looked>(REPLICA)).rows[0]
  }

  const look = async (): Promise<void> => {
    began ??= performance.now()
    let newest: number | null = null
    let fault: unknown
    try {
      if (replayed === 0n) replayed = positionOf(await askReplica())
      newest = await askPrimary().catch(error => {
        // without new samples the replica is soon too old
        fault = error
        return null
      })
      for (let looks = 1; !stopped; looks++) {
        const found = await askReplica()
        if (identity !== null && found?.identity !== identity) return turn('refused', FOREIGN)
        if (found?.standby !== true) return turn('refused', WRITABLE)
        replayed = positionOf(found)
        if (partedAt !== null && replayed < partedAt) partedAt = null
        if (partedAt !== null) return turn('refused', AHEAD)
        reached = lag.reached(replayed)
        if (reached === newest || looks === LOOKS_FOR_NEWEST) break
        await delay(LOOK_AGAIN_MS, undefined, { ref: false })
      }
    } catch (error) {
      // it may come back as another
      partedAt = null
      return turn('away', awayBecause(error))
    }
    measuredMs = performance.now() - (reached ?? began)
    if (reached !== null && measuredMs <= maxLagMs) return turn('used', null)
    if (state === 'starting' && measuredMs <= maxLagMs) return
    if (newest === null) return turn('late', `${NO_POSITION}: ${said(fault)}`)
    turn('late', lateBecause(reached === null ? null : measuredMs, maxLagMs))
  }

  const lookLater = (): void => {
    clearTimeout(timer)
    if (stopped) return
    timer = setTimeout(() => {
      looking = looking.then(look).then(lookLater)
    }, lookEveryMs).unref()
  }

  /** Null: the primary is read. */
  const usableSince = (): number | null =>
    state === 'used' && !stopped && reached !== null && performance.now() - reached <= maxLagMs ? reached : null

  const warn = (error: unknown): void => {
    const isRefused = error instanceof CommandBusError && !(error instanceof UnavailableError)
    if (isRefused || state !== 'used' || performance.now() < warnAt) return
    warnAt = performance.now() + WARN_EVERY_MS
    log.warn({ err: error }, 'a read failed on the replica and was made on the primary')
  }

  const read: ReadReplica = async (there, here, { signal, onAge } = {}) => {
    const since = usableSince()
    if (since === null) return here()
    try {
      const answer = await there()
      onAge?.(performance.now() - since)
      return answer
    } catch (error) {
      if (signal?.aborted) throw error
      warn(error)
      // what it has not replayed yet, such as a new command, is known there
      return here()
    }
  }

  return {
    read,
    health: (): ReplicaHealth => {
      const ageMs = state === 'used' ? measuredMs : reached === null ? null : performance.now() - reached
      return { state, lagSeconds: ageMs === null ? null : Math.round(ageMs) / 1000, reason }
    },
    /** Looks once, then every second. @throws InvalidInputError for a server that does not replicate the primary */
    begin: async (): Promise<void> => {
      looking = looking.then(look)
      await looking
      if (reason === FOREIGN) throw new InvalidInputError('readDatabaseUrl', FOREIGN)
      lookLater()
    },
    stop: async (): Promise<void> => {
      stopped = true
      clearTimeout(timer)
      await looking
    },
  }
}

const positionOf = (found: Looked | undefined): bigint => BigInt(found?.position ?? 0)

const said = (error: unknown): string => maskSecrets(toPublicError(error).message)

const awayBecause = (error: unknown): string =>
  isConnectionError(error) || isNoAnswer(error)
    ? 'the replica does not answer'
    : `the replica cannot be read: ${said(error).replaceAll('DATABASE_URL', 'DATABASE_READ_URL')}`

const lateBecause = (ageMs: number | null, maxLagMs: number): string =>
  ageMs === null
    ? UNKNOWN
    : `the replica is ${Math.ceil(ageMs / 100) / 10} s behind, and ${maxLagMs / 1000} s are allowed`
