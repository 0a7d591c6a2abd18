import type { ActionStore, DueItem, TakenAction } from '../ports/action-store.ts'

/**
 * Reads the next batch while the present one is written. If it is out of date by then, the append has a conflict and the
 * command is read again.
 */
export const createPrefetch = (store: Pick<ActionStore, 'due'>) => {
  let last = ''
  let ahead: { readonly from: string; readonly items: Promise<readonly DueItem[] | null> } | null = null
  const place = (id: string, doneTo: number, limit: number): string => `${id} ${doneTo} ${limit}`

  return {
    /** The batch that was read for this action, outside the transaction, which has a connection. */
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
