import { type Either, isLeft, left } from 'fp-ts/lib/Either.js'
import type { Pool, PoolClient } from 'pg'
import type { PreparedSend } from '../../../application/commands/send-command.ts'
import type { AdoptChoice } from '../../../application/ports/strangers.ts'
import type { Adopter } from '../../../application/strangers/adopter.ts'
import type { FoundMessage } from '../../../application/strangers/read-stranger.ts'
import { isOutage, isRefusal, toPublicError } from '../connection/errors.ts'
import { inTransaction, withClient } from '../connection/with-client.ts'
import { retryTransient } from '../transactions/retry-transient.ts'

export type AdoptionOutcome =
  | { readonly outcome: 'adopted'; readonly commandId: string }
  | { readonly outcome: 'refused'; readonly why: string }
  /** Somebody else has taken the message. */
  | { readonly outcome: 'gone' }

export interface AdoptionDeps {
  readonly pool: Pool
  readonly adopter: Adopter
  /** Whether the log is in the same database. If not, the messages are taken away after the append. */
  readonly logIsHere: boolean
  /** Whether an error passes by itself. */
  readonly isAway: (error: unknown) => boolean
}

/** A message that became a command. */
export interface Settled<Found> {
  readonly found: Found
  readonly commandId: string
}

/** Takes away the messages of commands; returns how many were still there. */
export type Settle<Found> = (querier: Pick<PoolClient, 'query'>, settled: readonly Settled<Found>[]) => Promise<number>

/** Somebody else took some of the messages away meanwhile: nothing was done. */
class TakenError extends Error {}

/**
 * Adopts messages together: commands are sent and their messages taken away in one transaction. With the log elsewhere the
 * same message gives the same command, so that a second time does no harm. What fails together is tried one by one, so that
 * one message does not keep others from being adopted.
 */
export const createAdoption = ({ pool, adopter, logIsHere, isAway }: AdoptionDeps) => {
  type Ready<Found> = { readonly found: Found; readonly prepared: PreparedSend }

  const tryTogether = async <Found>(ready: readonly Ready<Found>[], settle: Settle<Found>) => {
    const run = async (client?: PoolClient): Promise<readonly AdoptionOutcome[]> => {
      const outcomes = await adopter.send(
        ready.map(({ prepared }) => prepared),
        client,
      )
      const settled = outcomes.flatMap((one, i) =>
        one.outcome === 'adopted' ? [{ found: (ready[i] as Ready<Found>).found, commandId: one.commandId }] : [],
      )
      const taken = settled.length === 0 ? 0 : await settle(client ?? pool, settled)
      if (client !== undefined && taken < settled.length) throw new TakenError()
      return outcomes
    }
    return logIsHere
      ? retryTransient(() => withClient(pool, client => inTransaction(client, () => run(client))))
      : run()
  }

  const adoptReady = async <Found>(
    ready: readonly Ready<Found>[],
    settle: Settle<Found>,
  ): Promise<readonly AdoptionOutcome[]> => {
    if (ready.length === 0) return []
    try {
      return await tryTogether(ready, settle)
    } catch (error) {
      if (isRefusal(error)) return ready.map(() => ({ outcome: 'refused', why: toPublicError(error).message }))
      if (isOutage(error) || isAway(error)) throw error
      if (ready.length === 1)
        return [error instanceof TakenError ? { outcome: 'gone' } : { outcome: 'refused', why: messageOf(error) }]
      const outcomes: AdoptionOutcome[] = []
      for (const one of ready) outcomes.push(...(await adoptReady([one], settle)))
      return outcomes
    }
  }

  return async <Found extends FoundMessage>(
    found: readonly Found[],
    choice: AdoptChoice & { readonly actor: string },
    settle: Settle<Found>,
  ): Promise<readonly AdoptionOutcome[]> => {
    const prepared = await adopter
      .prepare(found, choice)
      .catch((error: unknown): readonly Either<string, PreparedSend>[] => {
        if (!isRefusal(error) && !isRefusal((error as Error).cause)) throw error
        return found.map(() => left(toPublicError(error).message))
      })
    const ready = prepared.flatMap((one, i) => (isLeft(one) ? [] : [{ found: found[i] as Found, prepared: one.right }]))
    const outcomes = await adoptReady(ready, settle)
    let next = 0
    return prepared.map((one: Either<string, PreparedSend>) =>
      isLeft(one) ? { outcome: 'refused', why: one.left } : (outcomes[next++] as AdoptionOutcome),
    )
  }
}

export type Adoption = ReturnType<typeof createAdoption>

const messageOf = (error: unknown): string => toPublicError(error).message
