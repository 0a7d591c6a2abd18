import type { Pool } from 'pg'
import type { Log } from '../../../application/ports/log.ts'

/** A pause in force. Null: every type, or every tenant. */
export interface InForce {
  readonly pauseId: string
  readonly commandType: string | null
  readonly tenantId: string | null
}

/** Receives what is paused in its domain; called after every look. */
export type OnLook = (pauses: readonly InForce[], began: number) => void

export interface PauseWatchDeps {
  /** For the looks, which must not wait for the statements of busy workers. */
  readonly lookPool: Pool
  readonly pool: Pool
  readonly log: Log
  /** Called with queues whose messages came back. */
  readonly onReleased: (queues: ReadonlySet<string>) => void
}

/** How often the table is looked at, in one statement for all workers of a process. */
const EVERY_MS = 200
/** Messages that one statement brings back. */
const PORTION = 5_000

interface Row {
  readonly domain: string
  /** Of messages put aside. */
  readonly queue: string
  readonly pause_id: string
  readonly command_type: string | null
  readonly tenant_id: string | null
  readonly ended: boolean
}

/** Tells the workers of a process what is paused, and brings back what waits for pauses that have ended. */
export const createPauseWatch = ({ lookPool, pool, log, onReleased }: PauseWatchDeps) => {
  const members = new Map<OnLook, string>()
  let timer: NodeJS.Timeout | null = null
  let looking: Promise<void> | null = null
  let releasing: Promise<void> | null = null
  let failing = false

  const look = async (): Promise<void> => {
    const began = performance.now()
    const watching = [...members]
    const query = {
      name: 'command_bus_pauses',
      text: 'select domain, queue, pause_id, command_type, tenant_id, ended from command_bus_pauses($1::text[])',
      values: [[...new Set(members.values())]],
    }
    const { rows } = await lookPool.query<Row>(query).catch(() => pool.query<Row>(query))
    const inForce = rows.filter(({ ended }) => !ended)
    for (const [tell, domain] of watching) {
      if (members.has(tell))
        tell(
          inForce.flatMap(row => (row.domain === domain ? [pauseOf(row)] : [])),
          began,
        )
    }
    const ended = rows.filter(row => row.ended)
    if (ended.length > 0) releasing ??= release(ended).finally(() => (releasing = null))
  }

  const release = async (ended: readonly Row[]): Promise<void> => {
    for (const { queue, pause_id: pauseId } of ended) {
      try {
        for (let released = PORTION; released === PORTION && members.size > 0; ) {
          const { rows } = await pool.query('select command_bus_release($1::text, $2::uuid, $3::int) as released', [
            queue,
            pauseId,
            PORTION,
          ])
          released = rows[0].released
          if (released > 0) onReleased(new Set([queue]))
        }
      } catch (error) {
        log.warn(
          { err: error, queue, pauseId },
          'messages of a pause that has ended could not be brought back; trying again',
        )
      }
    }
  }

  const lookNow = (): Promise<void> => {
    looking ??= look()
      .then(() => {
        failing = false
      })
      .catch(error => {
        if (!failing) log.warn({ err: error }, 'what is paused cannot be read: nothing is begun until it can')
        failing = true
      })
      .finally(() => {
        looking = null
      })
    return looking
  }

  const again = (): void => {
    timer = setTimeout(async () => {
      await lookNow()
      if (members.size > 0) again()
      else timer = null
    }, EVERY_MS)
  }

  return {
    lookNow,
    /** Resolves after a look that began now, if there are workers. */
    lookAgain: async (): Promise<void> => {
      await looking
      if (members.size > 0) await lookNow()
    },
    /** Resolves after a first look, also if it failed. */
    join: async (domain: string, tell: OnLook): Promise<void> => {
      members.set(tell, domain)
      // a look under way does not ask for this domain
      await looking
      await lookNow()
      if (timer === null && members.size > 0) again()
    },
    leave: (tell: OnLook): void => {
      members.delete(tell)
      if (members.size > 0 || timer === null) return
      clearTimeout(timer)
      timer = null
    },
    /** Resolves when nothing is under way any more. */
    settled: async (): Promise<void> => {
      await Promise.all([looking, releasing])
    },
  }
}

export type PauseWatch = ReturnType<typeof createPauseWatch>

const pauseOf = ({ pause_id, command_type, tenant_id }: Row): InForce => ({
  pauseId: pause_id,
  commandType: command_type,
  tenantId: tenant_id,
})
