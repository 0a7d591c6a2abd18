import type { ActionStore, DueItem, TakenAction } from '../ports/action-store.ts'

const GROWTH = 1.5

/**
 * Reads the next batch while the present one is written. If it is out of date by then, the append has a conflict and the
 * command is read again.
 */
export const createPrefetch = (store: Pick<ActionStore, 'due'>) => {
  let last = ''
  let ahead: { readonly id: string; readonly after: number; readonly items: Promise<readonly DueItem[]> } | null = null

  return {
    /** The batch that was read for this action, outside the transaction, which has a connection; null: none, or another one. */
    of: async (id: string) => {
      const mine = ahead?.id === id ? ahead : null
      if (mine !== null) ahead = null
      const items = (await mine?.items) ?? []
      return ({ doneTo }: TakenAction, limit: number): readonly DueItem[] | null =>
        mine?.after === doneTo && items.length > 0 ? items.slice(0, limit) : null
    },
    /** `most`: the next batch may be larger, as one at a rate is when this one took long. */
    begin: ({ action }: TakenAction, items: readonly DueItem[], limit: number, most: number): void => {
      // alternating between actions gains nothing
      const again = last === action.id
      last = action.id
      const end = items.at(-1)
      if (!again || action.status !== 'RUNNING' || end === undefined || items.length < limit) return
      const { id } = action
      const next = store.due(id, end.ordinal, Math.min(most, Math.ceil(limit * GROWTH)))
      ahead = { id, after: end.ordinal, items: next.catch(() => []) }
    },
  }
}
