import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { Log } from '../../application/ports/log.ts'
import type { Health } from '../../application/ports/reading/stats.ts'
import { atOneInstant, withClient } from '../postgres/connection/with-client.ts'
import { AFTER } from '../postgres/log/log-reader.ts'
import { holdReadTables } from '../postgres/read-tables/read-tables.ts'
import { createFindings, type Finding } from './chain/finding.ts'
import type { Signer } from './chain/keys.ts'
import { logName, type SealHead, sealEvents, sealHead } from './chain/seals.ts'
import { verifyEvents } from './verification/verify-events.ts'
import { verifySeals } from './verification/verify-seals.ts'

export interface BackgroundCheckOptions {
  readonly pool: Pool
  /** Null: seals are not signed. */
  readonly signer: Signer | null
  readonly log: Log
  /** Called with each new head, also of other processes, to be stored outside the database. */
  readonly onSealed?: (log: string, head: SealHead) => Promise<void>
  /** How often it seals events and checks some streams, in milliseconds. Default 10,000. */
  readonly everyMs?: number
  /** Events checked each time. Default 1,000. */
  readonly slice?: number
}

/** The results of this process's checks. */
export interface ProofStats {
  /** How many findings this round through the log has, or the last whole one. */
  readonly findings: number
  /** The first of them, up to 20. */
  readonly found: readonly Finding[]
  readonly first: Finding | null
  /** When the present round began, in ms since 1970; null: there is none. */
  readonly roundSince: number | null
  /** When the last whole round ended, in ms since 1970; null: not yet. */
  readonly verifiedAt: number | null
  /** Age of the oldest event that no seal covers. */
  readonly sealLagSeconds: number
  readonly failing: string | null
}

export interface BackgroundCheck {
  readonly start: () => void
  readonly stop: () => Promise<void>
  /** One turn: seals events, then checks the next streams. */
  readonly turn: () => Promise<void>
  readonly stats: () => ProofStats
  readonly health: () => Health
}

const LATE_SEAL_SECONDS = 300
/** Findings that are listed; others are only counted. */
const MOST_LISTED = 20
/** Seals checked each time. */
const SEALS = 20n

const keyOf = ({ stream, column, message }: Finding): string => `${stream} ${column} ${message}`

/**
 * Seals new events and checks the log part by part, in rounds: events against their hashes, rows against their events, and
 * the newest seals. Only one process seals at a time; each process checks in its own rounds.
 */
export const createBackgroundCheck = (options: BackgroundCheckOptions): BackgroundCheck => {
  const { pool, signer, log, everyMs = 10_000, slice = 1_000, onSealed = async () => {} } = options
  let name: string | null = null
  /** Number of the last head that was given to `onSealed`. */
  let announced: string | null = null
  let place = ''
  let round: Finding[] = []
  let last: Finding[] = []
  let roundSince: number | null = null
  let verifiedAt: number | null = null
  let sealLagSeconds = 0
  let failing: string | null = null
  let stopping = new AbortController()
  let running: Promise<void> | null = null

  const seal = async (): Promise<void> => {
    const seals = await sealEvents(pool, { signer, everyMs: everyMs / 2 })
    name ??= await logName(pool)
    const head = await sealHead(pool)
    if (seals.length > 0) log.debug({ number: head.number, hash: head.hash }, 'sealed')
    if (head.number !== announced) await onSealed(name, head)
    announced = head.number
    const { rows } = await pool.query(
      `select extract(epoch from clock_timestamp() - e.recorded)::float8 as lag from command_bus_event e
       where ${AFTER} order by e.xid, e.position limit 1`,
      [head.xid, head.position],
    )
    sealLagSeconds = Math.max(0, rows[0]?.lag ?? 0)
  }

  const verifySlice = (): Promise<void> => {
    roundSince ??= Date.now()
    return withClient(pool, async client => {
      const findings = createFindings(100)
      const to = await atOneInstant(client, async () => {
        await holdReadTables(client)
        const { rows } = await client.query(
          `select stream from command_bus_event where stream > $1::text collate "C" order by stream, revision offset $2::int limit 1`,
          [place, slice],
        )
        const end: string | null = rows[0]?.stream ?? null
        await verifyEvents(client, findings, { from: place, to: end })
        const head = BigInt((await sealHead(client)).number)
        await verifySeals(client, findings, { after: (head > SEALS ? head - SEALS : -1n).toString() })
        return end
      })
      const known = new Set(round.map(keyOf))
      for (const finding of findings.kept) {
        if (known.has(keyOf(finding))) continue
        // these may be parts of payloads
        const { expected: _, found: __, ...shown } = finding
        log.error(shown, 'the proof does not hold: run `commandbus verify`')
        round.push(finding)
      }
      place = to ?? ''
      if (to !== null) return
      last = round
      round = []
      verifiedAt = Date.now()
      roundSince = null
    })
  }

  const turn = async (): Promise<void> => {
    try {
      await seal()
      await verifySlice()
      failing = null
    } catch (error) {
      failing = error instanceof Error ? error.message : String(error)
      log.warn({ err: error }, 'the log could not be sealed or checked; trying again')
    }
  }

  const stats = (): ProofStats => {
    const found = round.length > 0 ? round : last
    return {
      findings: found.length,
      found: found.slice(0, MOST_LISTED),
      first: found[0] ?? null,
      roundSince,
      verifiedAt,
      sealLagSeconds,
      failing,
    }
  }

  return {
    turn,
    stats,
    start: () => {
      stopping = new AbortController()
      running ??= (async () => {
        while (!stopping.signal.aborted) {
          await turn()
          await delay(everyMs, undefined, { signal: stopping.signal, ref: false }).catch(() => {})
        }
      })()
    },
    stop: async () => {
      stopping.abort()
      await running
      running = null
    },
    health: () => {
      const { findings } = stats()
      const reasons = [
        ...(findings === 0
          ? []
          : [`${findings} ${findings === 1 ? 'thing does' : 'things do'} not fit the log; run \`commandbus verify\``]),
        ...(sealLagSeconds < LATE_SEAL_SECONDS
          ? []
          : [`events are not sealed for ${Math.round(sealLagSeconds)} s: a transaction that has written may be open`]),
      ]
      return { status: reasons.length > 0 ? 'degraded' : 'healthy', reasons }
    },
  }
}
