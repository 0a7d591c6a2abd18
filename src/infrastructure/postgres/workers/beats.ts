import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Pool } from 'pg'
import type { Log } from '../../../application/ports/log.ts'
import { endsWithin } from '../../shared/within.ts'

/** What a worker says of itself with every beat. */
export interface Announced {
  readonly workerId: string
  readonly domain: string
  readonly build: string | undefined
  readonly slots: number
  /** The command types it has handlers for; `*`: all. */
  readonly types: () => readonly string[]
  readonly busy: () => number
  readonly isStopping: () => boolean
  /** The attempts that run longest, at most so many. */
  readonly running: (most: number) => readonly AnnouncedAttempt[]
}

export interface AnnouncedAttempt {
  readonly commandId: string
  readonly commandType: string
  readonly tenantId: string | null
  readonly attempt: number
  /** For how long its handler runs. */
  readonly ms: number
}

export interface BeatsDeps {
  /** The connection of the heartbeats, which messages do not use. */
  readonly pool: Pool
  readonly log: Log
  readonly everyMs?: number
}

const EVERY_MS = 5_000
const MOST_RUNNING = 20
/** How long a stop waits for its row to go; a row that stays is that of a lost worker. */
const LEAVE_MS = 500

interface Member {
  readonly worker: Announced
  readonly since: number
}

/**
 * Announces the workers of this process in `command_bus_worker`: one statement every five seconds for all of them, also when one
 * starts, begins to stop, or has stopped. Nothing waits for it, and a failure only makes the workers look lost.
 */
export const createBeats = ({ pool, log, everyMs = EVERY_MS }: BeatsDeps) => {
  const members = new Map<string, Member>()
  const gone = new Set<string>()
  let timer: NodeJS.Timeout | null = null
  let beating: Promise<void> | null = null
  let again = false
  let failing = false

  const beat = async (): Promise<void> => {
    const left = [...gone]
    const workers = [...members].map(([instance, member]) => rowOf(instance, member))
    await pool.query({
      name: 'command_bus_beat',
      text: 'select command_bus_beat($1::jsonb, $2::uuid[])',
      values: [JSON.stringify(workers), left],
    })
    for (const instance of left) gone.delete(instance)
  }

  const beatNow = (): void => {
    if (beating !== null) {
      again = true
      return
    }
    again = false
    beating = beat()
      .then(() => {
        failing = false
      })
      .catch(error => {
        log[failing ? 'debug' : 'warn'](
          { err: error },
          'the workers of this process could not announce themselves: others may see them as lost, but they go on',
        )
        failing = true
      })
      .finally(() => {
        beating = null
        if (again) beatNow()
      })
  }

  const settled = async (): Promise<void> => {
    while (beating !== null) await beating
  }

  return {
    /** Announces a worker until the function that it returns is called. */
    join: (worker: Announced): (() => void) => {
      const instance = randomUUID()
      members.set(instance, { worker, since: performance.now() })
      timer ??= setInterval(beatNow, everyMs)
      beatNow()
      return () => {
        if (!members.delete(instance)) return
        gone.add(instance)
        if (members.size === 0 && timer !== null) {
          clearInterval(timer)
          timer = null
        }
        beatNow()
      }
    },
    /** Something about a worker has changed that others should know at once. */
    beatNow: (): void => {
      if (members.size > 0) beatNow()
    },
    /** Resolves when the rows of workers that have stopped are gone; after half a second, or `mostMs`, in any case. */
    left: async (mostMs: number): Promise<void> => {
      if (mostMs > 0) await endsWithin(Math.min(LEAVE_MS, mostMs), settled)
    },
    /** Resolves when nothing is under way any more. */
    settled,
  }
}

export type Beats = ReturnType<typeof createBeats>

const rowOf = (instance: string, { worker, since }: Member): object => ({
  instance,
  id: worker.workerId,
  of_domain: worker.domain,
  of_host: hostname(),
  of_pid: process.pid,
  of_build: worker.build ?? null,
  of_types: worker.types(),
  of_slots: worker.slots,
  of_busy: worker.busy(),
  stops: worker.isStopping(),
  runs: worker.running(MOST_RUNNING),
  age_ms: performance.now() - since,
})
