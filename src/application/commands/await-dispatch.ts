import type { TransactCommands } from './transact-commands.ts'

/** Waits until an event has its rows and messages; `late`: not within the time given. */
export type WaitForEvent = (
  event: { readonly stream: string; readonly revision: number },
  options: { readonly timeoutMs: number; readonly mayBeOld?: boolean },
) => Promise<{ readonly outcome: 'dispatched'; readonly msgId: string | null } | { readonly outcome: 'late' }>

/**
 * Turns of callers who read what they have written, where rows and messages follow the log: their outcome comes when
 * those are there, with the message's id. One that takes longer than `timeoutMs` comes without: it counts all the same.
 * Who is told that somebody else was faster sees what that other has done, too.
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
        const { revision } = outcome.now
        if (stream === undefined || revision < 0) return outcome
        const isOwn = outcome.outcome === 'done' && outcome.events.length > 0
        const dispatched = await waitFor({ stream, revision }, { timeoutMs, mayBeOld: !isOwn })
        return isOwn && dispatched.outcome === 'dispatched' ? { ...outcome, msgId: dispatched.msgId } : outcome
      }),
    )
  }
