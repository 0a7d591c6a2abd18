import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { TransactCommands } from '../../application/commands/transact-commands.ts'
import type { Clock } from '../../application/ports/clock.ts'
import type { Ids } from '../../application/ports/ids.ts'
import type { Log } from '../../application/ports/log.ts'
import { commandIdOf } from '../../application/shared/input.ts'
import type { SeparateLog } from '../../application/troubleshooting/apply-action.ts'
import {
  ActionNotFoundError,
  type ActionView,
  getAction,
  isOver,
  listActions,
  startAction,
  toActionView,
} from '../../application/troubleshooting/bulk-action.ts'
import { pauseAction, resumeAction, stopAction } from '../../application/troubleshooting/control-action.ts'
import { type StepResult, stepAction } from '../../application/troubleshooting/run-action.ts'
import { createActionStore } from '../postgres/bulk/action-store.ts'
import { createBackOff } from '../shared/back-off.ts'
import { createPollBackOff } from '../shared/poll-back-off.ts'
import { createWakeUp } from '../shared/wake-up.ts'

export interface ActionsDeps {
  readonly pool: Pool
  readonly transact: TransactCommands
  /** For a log that cannot take part in a transaction of the pool. */
  readonly separateLog?: SeparateLog
  readonly clock: Clock
  readonly ids: Ids
  /** Called after a commit with the queues that have new messages: in a transaction the event store does not ring. */
  readonly onFilled: (queues: ReadonlySet<string>) => void
  readonly log: Log
}

/** How one action on many is carried out here and now. */
export interface RunOneOptions {
  /** Called with every change. */
  readonly onProgress?: (view: ActionView) => void
  /** Aborted: resolves after the present batch, even if some are left. */
  readonly signal?: AbortSignal
}

/** How often a runner without work polls for actions that another process has started. */
const IDLE_MS = 1000

type PollBackOff = ReturnType<typeof createPollBackOff>

/** An action that waits for its stage, or that another process works on, is polled less and less often. */
const note = (polls: PollBackOff, id: string, result: StepResult): void => {
  if (typeof result === 'number') polls.after(id, result)
  else if (result === 'waiting' || result === 'busy') polls.slowDown(id)
  else polls.reset(id)
}

/** Bulk actions on parked commands, and their runner. */
export const createActions = ({ pool, clock, ids, log, ...deps }: ActionsDeps) => {
  const store = createActionStore(pool)
  const { step, idle } = stepAction({ store, clock, log, ...deps })
  const begin = startAction({ store, clock, ids })
  const runners = new Set<{ readonly wake: () => void }>()
  const closing = new AbortController()
  const underWay = new Set<Promise<unknown>>()

  /** Work that `close` also ends and waits for. */
  const tracked = <A>(work: (signal: AbortSignal) => Promise<A>, signal: AbortSignal | undefined): Promise<A> => {
    const run = work(signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal])).finally(idle)
    underWay.add(run)
    return run.finally(() => underWay.delete(run))
  }

  /** One batch of every open action. A failure does not affect the others. */
  const round = async (signal: AbortSignal, polls: PollBackOff): Promise<ReadonlySet<StepResult | 'failed'>> => {
    const results = new Set<StepResult | 'failed'>()
    const open = await store.open()
    polls.forgetOthers(new Set(open.map(({ id }) => id)))
    for (const action of open) {
      if (signal.aborted) break
      if (!polls.isDue(action.id)) continue
      try {
        const result = await step(action)
        results.add(result)
        note(polls, action.id, result)
      } catch (error) {
        log.warn({ err: error, actionId: action.id }, 'a bulk action cannot go on now; trying again')
        results.add('failed')
      }
    }
    return results
  }

  const runAll = async (signal: AbortSignal): Promise<void> => {
    const bell = createWakeUp()
    const backOff = createBackOff()
    const polls = createPollBackOff()
    runners.add(bell)
    signal.addEventListener('abort', bell.wake)
    while (!signal.aborted) {
      let pause = IDLE_MS
      try {
        const results = await round(signal, polls)
        if (results.has('worked')) pause = 0
        else if (results.has('failed')) pause = backOff.next()
        else pause = Math.min(IDLE_MS, polls.nextIn() ?? IDLE_MS)
        if (!results.has('failed')) backOff.reset()
      } catch (error) {
        log.warn({ err: error }, 'bulk actions cannot be read; trying again')
        pause = backOff.next()
      }
      if (pause > 0 && !signal.aborted) await bell.wait(pause)
    }
    signal.removeEventListener('abort', bell.wake)
    runners.delete(bell)
  }

  const runToTheEnd = async (
    id: string,
    onProgress: (view: ActionView) => void,
    signal: AbortSignal,
  ): Promise<ActionView> => {
    const polls = createPollBackOff()
    for (let reported = ''; ; ) {
      const record = await store.get(id)
      if (record === null) throw new ActionNotFoundError(id)
      const view = toActionView(record)
      const now = JSON.stringify(view)
      if (now !== reported) onProgress(view)
      reported = now
      if (isOver(record) || signal.aborted) return view
      note(polls, id, await step(record))
      const pause = polls.nextIn()
      if (pause !== null) await delay(pause, undefined, { signal }).catch(() => {})
    }
  }

  /** The same call, after which this process's runners look for work. */
  const woken =
    <Args extends readonly unknown[]>(call: (...args: Args) => Promise<ActionView>) =>
    async (...args: Args): Promise<ActionView> => {
      const view = await call(...args)
      for (const runner of runners) runner.wake()
      return view
    }

  return {
    store,
    /** Starts an action in the background. */
    start: woken(begin),
    /** The action, or null. */
    get: getAction({ store }),
    /** Actions, newest first, in pages. */
    list: listActions({ store }),
    pause: pauseAction(store),
    /** Goes on with a paused action. */
    resume: woken(resumeAction(store)),
    stop: stopAction(store),

    /** Carries out the actions of all processes until `signal` is aborted. Several processes may do so at once. */
    run: (signal?: AbortSignal): Promise<void> => tracked(runAll, signal),

    /**
     * Carries out one action and resolves when it is over. Other processes may work on it, too.
     * @throws ActionNotFoundError
     */
    runOne: (id: string, { onProgress = () => {}, signal }: RunOneOptions = {}): Promise<ActionView> =>
      tracked(async stopping => runToTheEnd(commandIdOf(id, 'actionId'), onProgress, stopping), signal),

    /** Ends the runners after their present batches. */
    close: async (): Promise<void> => {
      closing.abort()
      await Promise.allSettled([...underWay])
    },
  }
}

export type Actions = ReturnType<typeof createActions>
