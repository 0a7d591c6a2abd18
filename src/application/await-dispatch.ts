import type { TransactCommands } from './transact-commands.ts'

/** Waits until an event has its rows and messages; `late`: not within the time given. */
export type WaitForEvent = (
  event: { readonly stream: string; readonly revision: number },
  options: { readonly timeoutMs: number },
) => Promise<{ readonly outcome: 'dispatched'; readonly msgId: string | null } | { readonly outcome: 'late' }>

/**
 * Turns of callers who read what they have written, where rows and messages follow the log: their outcome comes when
 * those are there, with the message's id. One that takes longer than `timeoutMs` comes without: it counts all the same.
 */
export const awaitingDispatch =
  (transact: TransactCommands, waitFor: WaitForEvent, timeoutMs: number): TransactCommands =>
  async (turns, options) => {
    const outcomes = await transact(turns, options)
    // nothing of a transaction that is still open can arrive
    if (options?.within !== undefined) return outcomes
    return Promise.all(
      outcomes.map(async (outcome, i) => {
        const stream = turns[i]?.stream
        if (outcome.outcome !== 'done' || outcome.events.length === 0 || stream === undefined) return outcome
        const dispatched = await waitFor({ stream, revision: outcome.now.revision }, { timeoutMs })
        return dispatched.outcome === 'late' ? outcome : { ...outcome, msgId: dispatched.msgId }
      }),
    )
  }
