import type { TransactCommands } from './transact-commands.ts'

/** Waits until the rows and messages of an event are written; `late`: not within `timeoutMs`. */
export type WaitForEvent = (
  event: { readonly stream: string; readonly revision: number },
  options: { readonly timeoutMs: number; readonly mayBeOld?: boolean },
) => Promise<{ readonly outcome: 'dispatched'; readonly msgId: string | null } | { readonly outcome: 'late' }>

/**
 * For callers that read their own writes, where rows and messages follow the log: each outcome waits for them and has the
 * message's id. After `timeoutMs` it comes without the id, and still counts. A caller that loses a race also waits until
 * the winner's events are visible.
 */
export const awaitingDispatch =
  (transact: TransactCommands, waitFor: WaitForEvent, timeoutMs: number): TransactCommands =>
  async (turns, options) => {
    const outcomes = await transact(turns, options)
    // an open transaction shows no rows yet
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
