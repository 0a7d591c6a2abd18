import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { Log } from '../../application/ports/log.ts'
import type { Health } from '../../application/ports/reading/stats.ts'
import { atOneInstant, withClient } from '../postgres/connection/with-client.ts'
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
  /** Called with each new head, also of another process's making, to be remembered outside the database. */
  readonly onSealed?: (log: string, head: SealHead) => Promise<void>
  /** How often it seals and looks at some streams, in milliseconds. Default 10,000. */
  readonly everyMs?: number
  /** Events looked at each time. Default 1,000. */
  readonly slice?: number
}

/** What is known of the proof; a process knows what it has looked at itself. */
export interface ProofFigures {
  /** Things found in this round of looking through the log, or in the last whole one. */
  readonly findings: number
  /** The first of them, up to 20. */
  readonly found: readonly Finding[]
  readonly first: Finding | null
  /** When the round under way began, in ms since 1970; null: none has. */
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
  /** One turn: seals, then looks at the next streams. */
  readonly turn: () => Promise<void>
  readonly figures: () => ProofFigures
  readonly health: () => Health
}

const LATE_SEAL_SECONDS = 300
/** Findings that are told one by one. */
const MOST_TOLD = 20
/** Seals looked at each time. */
const SEALS = 20n

const keyOf = ({ stream, column, message }: Finding): string => `${stream} ${column} ${message}`

/**
 * Seals new events, and goes round through the log a little at a time: events against their hashes, rows against their
 * events, the newest seals. One process of the fleet seals; each that keeps goes its own round.
 */
export const createBackgroundCheck = (options: BackgroundCheckOptions): BackgroundCheck => {
  const { pool, signer, log, everyMs = 10_000, slice = 1_000, onSealed = async () => {} } = options
  let name: string | null = null
  /** Number of the last head that was handed on. */
  let told: string | null = null
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
    if (head.number !== told) await onSealed(name, head)
    told = head.number
    const { rows } = await pool.query(
      `select extract(epoch from clock_timestamp() - e.recorded)::float8 as lag from command_bus_event e
       where (e.xid, e.position) > ($1::xid8, $2::bigint) order by e.xid, e.position limit 1`,
      [head.xid, head.position],
    )
    sealLagSeconds = Math.max(0, rows[0]?.lag ?? 0)
  }

  const look = (): Promise<void> => {
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
        log.error({ ...finding }, 'the proof does not hold: run `commandbus verify`')
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
      await look()
      failing = null
    } catch (error) {
      failing = error instanceof Error ? error.message : String(error)
      log.warn({ err: error }, 'the log was not sealed or looked at; trying again')
    }
  }

  const figures = (): ProofFigures => {
    const found = round.length > 0 ? round : last
    return {
      findings: found.length,
      found: found.slice(0, MOST_TOLD),
      first: found[0] ?? null,
      roundSince,
      verifiedAt,
      sealLagSeconds,
      failing,
    }
  }

  return {
    turn,
    figures,
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
      const { findings } = figures()
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
