import type { Pool } from 'pg'
import { settledOrHeld } from '../../application/commands/settled-or-held.ts'
import type { TransactCommands } from '../../application/commands/transact-commands.ts'
import type { CommandTurn } from '../../application/commands/work-message.ts'
import { EventDecodeError } from '../../application/ports/event-store.ts'
import type { Log } from '../../application/ports/log.ts'
import { commandStream } from '../../domain/command/names.ts'
import { instant } from '../postgres/connection/instant.ts'
import { inTransaction, withClient } from '../postgres/connection/with-client.ts'
import { createBackOff } from '../shared/back-off.ts'
import { createWakeUp } from '../shared/wake-up.ts'
import type { ReportOutcome } from '../worker/attempt/reporter.ts'

export interface ExpiryDeps {
  /** Needs two connections at once. */
  readonly pool: Pool
  readonly transact: TransactCommands
  readonly log: Log
  /** How often to look for expired commands, in milliseconds. */
  readonly everyMs?: number
}

interface ExpiredRow {
  readonly domain: string
  readonly command_id: string
  readonly as_of: string
}

/** One statement on an index that holds only pending commands that can expire. */
const EVERY_MS = 2_000
const AT_ONCE = 500
/** Who expires commands, for the audit. */
const ACTOR = 'expiry'

/**
 * Cancels commands that nobody has begun by their time, by the clock of the database, as long as something in this process
 * works or runs (`during`, `join`). One process does so at a time: others that find the same commands leave them to it. A
 * worker that begins a command in between has written that to the log first, so it wins.
 */
export const createExpiry = ({ pool, transact, log, everyMs = EVERY_MS }: ExpiryDeps) => {
  const bell = createWakeUp()
  let users = 0
  let closed = false
  let sweeping: Promise<void> | null = null
  const isOver = (): boolean => closed || users === 0

  const expired = async (querier: Pick<Pool, 'query'>): Promise<readonly ExpiredRow[]> =>
    (
      await querier.query<ExpiredRow>(
        `select domain, command_id, ${instant('as_of')} as as_of from command_bus_expired($1::int)`,
        [AT_ONCE],
      )
    ).rows

  /** How many commands expired. */
  const expire = async (rows: readonly ExpiredRow[]): Promise<number> => {
    const turns = rows.map(
      ({ domain, command_id: commandId, as_of }): CommandTurn => ({
        stream: commandStream({ domain, commandId }),
        intents: [{ type: 'Expire', at: as_of, actor: ACTOR }],
      }),
    )
    // what an open transaction has locked, as a lane, waits for the next sweep, and does not hold up the others
    const outcomes = await settledOrHeld<ReportOutcome>(turns.length, onOutcome =>
      transact(turns, { brief: true, onOutcome }),
    )
    return outcomes.filter(one => one?.outcome === 'done' && one.events.length > 0).length
  }

  /** One that cannot be read must not keep the others. */
  const expireEach = async (rows: readonly ExpiredRow[]): Promise<number> => {
    let count = 0
    for (const row of rows) {
      try {
        count += await expire([row])
      } catch (error) {
        if (!(error instanceof EventDecodeError)) throw error
        log.error({ err: error, domain: row.domain, commandId: row.command_id }, 'an expired command cannot be read')
      }
    }
    return count
  }

  /** Whether there may be more at once. */
  const sweep = async (): Promise<boolean> => {
    if ((await expired(pool)).length === 0) return false
    return withClient(pool, client =>
      inTransaction(client, async () => {
        const { rows } = await client.query<{ mine: boolean }>(
          `select pg_try_advisory_xact_lock(hashtextextended('commandbus:expiry', 0)) as mine`,
        )
        if (!rows[0]?.mine) return false
        const due = await expired(client)
        const count = await expire(due).catch(error => {
          if (error instanceof EventDecodeError) return expireEach(due)
          throw error
        })
        if (count > 0) log.info({ count }, 'commands that nobody began by their time were canceled')
        return due.length === AT_ONCE && count > 0
      }),
    )
  }

  const run = async (): Promise<void> => {
    const backOff = createBackOff()
    while (!isOver()) {
      let pause = everyMs
      try {
        if (await sweep()) pause = 0
        backOff.reset()
      } catch (error) {
        log.warn({ err: error }, 'expired commands cannot be canceled now; trying again')
        pause = everyMs + backOff.next()
      }
      if (pause > 0 && !isOver()) await bell.wait(pause)
    }
  }

  const begin = (): void => {
    sweeping ??= run().finally(() => {
      sweeping = null
      if (!isOver()) begin()
    })
  }

  /** Sweeps until what it returns is called. */
  const join = (): (() => void) => {
    users++
    begin()
    let left = false
    return () => {
      if (left) return
      left = true
      users--
      if (users === 0) bell.wake()
    }
  }

  return {
    join,
    /** Sweeps while `work` is under way. */
    during: async <A>(work: () => Promise<A>): Promise<A> => {
      const leave = join()
      try {
        return await work()
      } finally {
        leave()
      }
    },
    close: async (): Promise<void> => {
      closed = true
      bell.wake()
      await sweeping
    },
  }
}

export type Expiry = ReturnType<typeof createExpiry>
