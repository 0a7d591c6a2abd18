import type { TransactCommands } from '../commands/transact-commands.ts'
import type { ActionRecord, ActionStore, DueItem } from '../ports/action-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { type ApartFromMarks, takeTurns } from './action-turns.ts'
import { isOver } from './bulk-action.ts'
import { createLookAhead } from './look-ahead.ts'

export interface RunActionDeps {
  readonly store: ActionStore
  readonly transact: TransactCommands
  /** Left out: what `transact` appends commits together with the marks. */
  readonly apart?: ApartFromMarks
  readonly clock: Clock
  readonly log: Log
  /** Called after a commit with the queues that got messages. */
  readonly onFilled: (queues: ReadonlySet<string>) => void
}

/** `waiting`: for its canary; `busy`: another process has it at this moment; `over`: nothing is left to do. */
export type StepResult = 'worked' | 'waiting' | 'busy' | 'over'

/** Items of a transaction: more gain little, and hold their locks longer. */
const PIECE = 500
/** The same where each item is a request of its own: the action's row is locked meanwhile. */
const PIECE_APART = 100
/** What is written for each item, times the items of a piece, stays below this. */
const PIECE_BYTES = 8 * 1024 * 1024
/** Sizes are only a matter of speed: they may be forgotten. */
const MAX_SIZES = 1000

/**
 * Makes the function that brings an action one piece further. A piece is one transaction: the commands' events, rows
 * and messages, and the outcomes of the items, so that a crash at any moment leaves each item either done and counted
 * or untouched (where the log is apart: or done and recognised by the next try). Each item takes the same turn as a single operator's action. One that cannot be done does not keep the
 * others: a piece that fails is tried again in halves until the item that fails stands alone.
 */
export const stepAction = (deps: RunActionDeps) => {
  const { store, clock, apart } = deps
  const largest = apart === undefined ? PIECE : PIECE_APART
  const sizes = new Map<string, number>()
  const lookAhead = createLookAhead(store)
  const now = (): string => clock.now().toISOString()

  const work = async (id: string): Promise<StepResult> => {
    const size = sizes.get(id) ?? largest
    let atWork: readonly DueItem[] = []
    try {
      const early = await lookAhead.of(id)
      const piece = await store.take(id, { wait: false }, async taken => {
        const at = now()
        const limit = sizeOf(taken.action, size)
        atWork = early(taken, limit) ?? (await taken.next(limit))
        lookAhead.begin(taken, atWork, limit)
        const { marks, filled } = await takeTurns(deps.transact, taken, atWork, at, apart)
        // what fails from here on is no fault of an item
        atWork = []
        await taken.mark(marks, at)
        return { filled }
      })
      if (piece === null) return 'busy'
      if (piece.filled.size > 0) deps.onFilled(piece.filled)
      if (size * 2 >= largest) sizes.delete(id)
      else sizes.set(id, size * 2)
      return 'worked'
    } catch (error) {
      const fault = store.faultOf(error)
      const [first] = atWork
      if (fault === null || first === undefined) throw error
      if (atWork.length > 1) {
        if (sizes.size > MAX_SIZES) sizes.clear()
        sizes.set(id, Math.floor(atWork.length / 2))
        return 'worked'
      }
      deps.log.warn({ err: error, actionId: id, domain: first.domain, commandId: first.commandId }, 'an item failed')
      return fail(id, first, fault)
    }
  }

  const fail = async (id: string, item: DueItem, message: string): Promise<StepResult> => {
    const marked = await store.take(id, { wait: false }, async taken => {
      const [first] = await taken.next(1)
      if (first?.ordinal === item.ordinal) {
        await taken.mark([{ ordinal: item.ordinal, outcome: 'FAILED', message }], now())
      }
      return true
    })
    return marked === null ? 'busy' : 'worked'
  }

  const settleCanary = async (id: string): Promise<StepResult> => {
    const seen = await store.canary(id)
    if (seen.verdict === 'waiting') return 'waiting'
    const settled = await store.take(id, { wait: false }, async taken => {
      if (!isSent(taken.action)) return true
      if (seen.verdict === 'stumbled') await taken.end('CANARY_FAILED', seen.why, now())
      else await taken.passCanary(now())
      return true
    })
    return settled === null ? 'busy' : 'worked'
  }

  return async (action: ActionRecord): Promise<StepResult> => {
    if (isOver(action)) {
      sizes.delete(action.id)
      return 'over'
    }
    return isSent(action) ? settleCanary(action.id) : work(action.id)
  }
}

/** All commands of the canary are on their way; those that could not be retried were replaced by the next ones. */
const isSent = ({ status, canary, succeeded, failed, skipped, total }: ActionRecord): boolean =>
  status === 'WAITING_FOR_CANARY' && (succeeded >= (canary ?? 0) || succeeded + failed + skipped === total)

const sizeOf = ({ status, canary, succeeded, details }: ActionRecord, size: number): number => {
  const most = Math.max(1, Math.min(size, Math.floor(PIECE_BYTES / JSON.stringify(details).length)))
  return status === 'WAITING_FOR_CANARY' ? Math.min(most, (canary ?? 0) - succeeded) : most
}
