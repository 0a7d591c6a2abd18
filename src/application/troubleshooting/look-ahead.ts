import type { ActionStore, DueItem, TakenAction } from '../ports/action-store.ts'

/**
 * Reads the next piece while the present one is written. What was read early may be out of date: an append then loses
 * its race, and the command is read again.
 */
export const createLookAhead = (store: Pick<ActionStore, 'due'>) => {
  let last = ''
  let ahead: { readonly from: string; readonly items: Promise<readonly DueItem[] | null> } | null = null
  const place = (id: string, doneTo: number, limit: number): string => `${id} ${doneTo} ${limit}`

  return {
    /** What was read for this action, for whoever takes it: outside the transaction, which holds a connection. */
    of: async (id: string) => {
      const mine = ahead?.from.startsWith(`${id} `) === true ? ahead : null
      if (mine !== null) ahead = null
      const items = (await mine?.items) ?? null
      return ({ action, doneTo }: TakenAction, limit: number): readonly DueItem[] | null =>
        mine?.from === place(action.id, doneTo, limit) ? items : null
    },
    begin: ({ action }: TakenAction, items: readonly DueItem[], limit: number): void => {
      // alternating between actions gains nothing
      const again = last === action.id
      last = action.id
      const end = items.at(-1)
      if (!again || action.status !== 'RUNNING' || end === undefined || items.length < limit) return
      ahead = {
        from: place(action.id, end.ordinal, limit),
        items: store.due(action.id, end.ordinal, limit).catch(() => null),
      }
    },
  }
}
