import type { ActionStore, TakenAction } from '../ports/action-store.ts'
import { InvalidOperationError } from '../shared/errors.ts'
import { commandIdOf, optional, textOf } from '../shared/input.ts'
import { ActionNotFoundError, type ActionView, isVisible, toActionView } from './bulk-action.ts'

/** Who pauses, resumes or stops an action on many. */
export interface ControlOptions {
  readonly operator: string
  /** Why; kept with the change. */
  readonly reason?: string
  /** Only this tenant's actions; others count as unknown. Null or absent: all. */
  readonly tenantId?: string | null
}

/** Pauses, resumes or stops an action on many. */
export type Control = (id: string, options: ControlOptions) => Promise<ActionView>

/** What an operator does to an unfinished action, between two of its pieces. A finished one does not change. */
const control =
  (store: ActionStore, change: (taken: TakenAction, who: string, why: string) => Promise<void>): Control =>
  async (id, { operator, reason, tenantId }) => {
    const who = textOf(operator, 'operator', 200)
    const why = optional(reason, given => textOf(given, 'reason'))
    const before = await store.get(commandIdOf(id, 'actionId'))
    if (before === null || !isVisible(before, tenantId)) throw new ActionNotFoundError(id)
    await store.take(before.id, { wait: true }, taken => change(taken, who, why === null ? '' : `: ${why}`))
    return toActionView((await store.get(before.id)) ?? before)
  }

/**
 * Ends an action after its present piece; the remaining items are SKIPPED. A finished action does not change.
 * @throws ActionNotFoundError, InvalidInputError
 */
export const stopAction = (store: ActionStore): Control =>
  control(store, (taken, who, why) => taken.end('STOPPED', `stopped by ${who}${why}`, who))

/**
 * Sends nothing more after its present piece, until it is resumed; commands that were sent go on.
 * @throws ActionNotFoundError, InvalidOperationError (it is over), InvalidInputError
 */
export const pauseAction = (store: ActionStore): Control => {
  const pause = control(store, async (taken, who, why) => {
    if (taken.action.status !== 'PAUSED') await taken.pause(`paused by ${who}${why}`, who)
  })
  return async (id, options) => {
    const view = await pause(id, options)
    if (view.status === 'PAUSED') return view
    throw new InvalidOperationError(
      `action ${id} is ${view.status}: only one that is under way can be paused`,
      view.status,
    )
  }
}

/** Goes on with a paused action; others stay as they are. @throws ActionNotFoundError, InvalidInputError */
export const resumeAction = (
  store: ActionStore,
): ((id: string, options: Omit<ControlOptions, 'reason'>) => Promise<ActionView>) =>
  control(store, async (taken, who) => {
    if (taken.action.status === 'PAUSED') await taken.resume(who)
  })
