import { judgeStage } from '../acting/judge-stage.ts'
import { nextPiece } from '../acting/next-piece.ts'
import type { TransactCommands } from '../commands/transact-commands.ts'
import type { ActionRecord, ActionStore, DueItem, Standing } from '../ports/action-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { applyAction, type SeparateLog } from './apply-action.ts'
import { isOver } from './bulk-action.ts'
import { createPrefetch } from './prefetch.ts'

export interface RunActionDeps {
  readonly store: ActionStore
  readonly transact: TransactCommands
  /** Missing: the appends of `transact` commit together with the marks. */
  readonly separateLog?: SeparateLog
  readonly clock: Clock
  readonly log: Log
  /** Called after a commit with the queues that received messages. */
  readonly onFilled: (queues: ReadonlySet<string>) => void
}

/**
 * `waiting`: for its stage, its hours or an operator; `busy`: another process has the action now; `over`: nothing is left to
 * do; a number: it may go on in so many milliseconds.
 */
export type StepResult = 'worked' | 'waiting' | 'busy' | 'over' | number

/** Items in one transaction; more items gain little and hold locks longer. */
const BATCH = 500
/** The same if each item is a separate request, during which the action's row is locked. */
const BATCH_SEPARATE = 100
/** The most bytes of a batch: the size of an item times the number of items. */
const BATCH_BYTES = 8 * 1024 * 1024
/** Sizes to remember; they only affect speed. */
const MAX_SIZES = 1000
/** While the last stage is sent, its rule is looked at so often, or less often, so that looks are under way half of the time at most. */
const JUDGE_MS = 300

/**
 * Makes the function that does the next batch of an action. A batch is one transaction with the commands' events, rows and
 * messages, and the outcomes of the items. After a crash each item is therefore either done and counted, or unchanged (with
 * a log in another database: or done, and recognised by the next try). Each item is decided in the same way as by the
 * operator's single action. A failing item does not stop the others: a batch that fails is tried again in halves, down to that item.
 */
export const stepAction = (deps: RunActionDeps) => {
  const { store, clock, separateLog } = deps
  const largest = separateLog === undefined ? BATCH : BATCH_SEPARATE
  const sizes = new Map<string, number>()
  const looks = new Map<string, Look>()
  const prefetch = createPrefetch(store)
  const now = (): string => clock.now().toISOString()

  const work = async (id: string): Promise<StepResult> => {
    const size = sizes.get(id) ?? largest
    let items: readonly DueItem[] = []
    try {
      const prefetched = await prefetch.of(id)
      const batch = await store.take(id, { wait: false }, async taken => {
        const piece = nextPiece(taken.action)
        // an operator, or another process, was faster
        if (piece.do !== 'send') return { filled: new Set<string>() }
        const at = now()
        const limit = sizeOf(taken.action, Math.min(piece.most, size))
        items = prefetched(taken, limit) ?? (await taken.next(limit))
        prefetch.begin(taken, items, limit, sizeOf(taken.action, size))
        const { marks, filled } = await applyAction(deps.transact, taken, items, at, separateLog)
        // from here on a failure is not the fault of an item
        items = []
        await taken.mark(marks, at)
        return { filled }
      })
      if (batch === null) return 'busy'
      if (batch.filled.size > 0) deps.onFilled(batch.filled)
      if (size * 2 >= largest) sizes.delete(id)
      else sizes.set(id, size * 2)
      return 'worked'
    } catch (error) {
      const fault = store.faultOf(error)
      const [first] = items
      if (fault === null || first === undefined) throw error
      if (items.length > 1) {
        if (sizes.size > MAX_SIZES) sizes.clear()
        sizes.set(id, Math.floor(items.length / 2))
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

  /** `isSent`: the whole stage was sent when the action was read, so it may be over. */
  const decide = async (
    read: ActionRecord,
    standing: Standing,
    { isSent, wait }: { readonly isSent: boolean; readonly wait: boolean },
  ): Promise<StepResult> => {
    const settled = await store.take(read.id, { wait }, async (taken): Promise<StepResult> => {
      // what was counted is of a stage that is over, or an operator was faster
      if (taken.action.stage !== read.stage || taken.action.status === 'PAUSED') return 'worked'
      const verdict = judgeStage(taken.action, standing)
      if (verdict.verdict === 'end') await taken.end(verdict.status, verdict.note, null)
      else if (!isSent) return 'worked'
      else if (verdict.verdict === 'waiting') return 'waiting'
      else await taken.passStage()
      return 'worked'
    })
    return settled ?? 'busy'
  }

  const judge = async (read: ActionRecord): Promise<StepResult> => {
    await store.settle(read.id)
    return decide(read, await store.standing(read.id), { isSent: true, wait: false })
  }

  /** Ends the action if its rule is broken; what was sent meanwhile is sent. */
  const lookAt = async (action: ActionRecord): Promise<void> => {
    const at = performance.now()
    await store.settle(action.id)
    const standing = await store.standing(action.id)
    if (judgeStage(action, standing).verdict === 'end') await decide(action, standing, { isSent: false, wait: true })
    const end = performance.now()
    looks.set(action.id, { from: end + Math.max(JUDGE_MS, end - at) })
  }

  /**
   * Looks at the rule of a stage now and then while it is sent. Only the first look, and the one after a failure, is waited for: as
   * long as it fails nothing is sent.
   */
  const judgeMeanwhile = async (action: ActionRecord): Promise<void> => {
    const last = looks.get(action.id)
    if (last?.under !== undefined || performance.now() < (last?.from ?? 0)) return
    if (looks.size > MAX_SIZES) looks.clear()
    const under = lookAt(action).catch(error => {
      looks.delete(action.id)
      throw error
    })
    if (last === undefined) return under
    looks.set(action.id, { from: 0, under: under.catch(() => {}) })
  }

  const step = async (action: ActionRecord): Promise<StepResult> => {
    if (isOver(action)) {
      sizes.delete(action.id)
      return 'over'
    }
    const next = nextPiece(action)
    if (next.do === 'judge') return judge(action)
    if (next.do === 'wait') return next.ms ?? 'waiting'
    if (next.judge) await judgeMeanwhile(action)
    return work(action.id)
  }
  /** Waits for the looks that are under way. */
  const idle = async (): Promise<void> => {
    await Promise.all([...looks.values()].map(({ under }) => under))
  }
  return { step, idle }
}

/** A look at the rule of an action: one that is under way, or when the next may begin. */
interface Look {
  readonly from: number
  readonly under?: Promise<void>
}

const sizeOf = ({ details }: ActionRecord, size: number): number =>
  Math.max(1, Math.min(size, Math.floor(BATCH_BYTES / JSON.stringify(details).length)))
