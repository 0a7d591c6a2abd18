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
  /** Missing: the appends of `transact` commit together with the marks. */
  readonly apart?: ApartFromMarks
  readonly clock: Clock
  readonly log: Log
  /** Called after a commit with the queues that received messages. */
  readonly onFilled: (queues: ReadonlySet<string>) => void
}

/** `waiting`: for its canary; `busy`: another process has the action now; `over`: nothing is left to do. */
export type StepResult = 'worked' | 'waiting' | 'busy' | 'over'

/** Items in one transaction; more items gain little and hold locks longer. */
const PIECE = 500
/** The same if each item is a separate request, during which the action's row is locked. */
const PIECE_APART = 100
/** The most bytes of a piece: the size of an item times the number of items. */
const PIECE_BYTES = 8 * 1024 * 1024
/** Sizes to remember; they only affect speed. */
const MAX_SIZES = 1000

/**
 * Makes the function that does the next piece of an action. A piece is one transaction with the commands' events, rows and
 * messages, and the outcomes of the items. After a crash each item is therefore either done and counted, or unchanged (with
 * a log in another database: or done, and recognised by the next try). Each item takes the same turn as the operator's
 * single action. A failing item does not stop the others: a piece that fails is tried again in halves, down to that item.
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
        // from here on a failure is not the fault of an item
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

/** All commands of the canary were retried; those that could not be retried were replaced by the next ones. */
const isSent = ({ status, canary, succeeded, failed, skipped, total }: ActionRecord): boolean =>
  status === 'WAITING_FOR_CANARY' && (succeeded >= (canary ?? 0) || succeeded + failed + skipped === total)

const sizeOf = ({ status, canary, succeeded, details }: ActionRecord, size: number): number => {
  const most = Math.max(1, Math.min(size, Math.floor(PIECE_BYTES / JSON.stringify(details).length)))
  return status === 'WAITING_FOR_CANARY' ? Math.min(most, (canary ?? 0) - succeeded) : most
}
