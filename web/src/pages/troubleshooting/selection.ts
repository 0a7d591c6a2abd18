import { useEffect, useState } from 'react'
import type { Parked } from '../../api/client.ts'
import { useSessionState } from '../../api/session.ts'

export const keyOf = ({ domain, commandId }: Pick<Parked, 'domain' | 'commandId'>): string => `${domain}/${commandId}`

interface Selection {
  readonly picked: ReadonlyMap<string, Parked>
  /** Whether all that match are selected. */
  readonly all: boolean
}

const none: Selection = { picked: new Map(), all: false }

/** The last selection, for the way back from a command: of which list, and whose. */
let kept: Selection & { readonly list: string; readonly of: string | undefined } = { ...none, list: '', of: undefined }

/** A command that is not parked any more leaves the kept selection. */
export const deselect = (command: Pick<Parked, 'domain' | 'commandId'>): void => {
  const picked = new Map(kept.picked)
  if (picked.delete(keyOf(command))) kept = { ...kept, picked }
}

/** The selection of the list at an address; it is there again after a visit to a command. */
export const useSelection = (list: string) => {
  const of = useSessionState().session?.subject
  const [selection, setSelection] = useState<Selection>(() => (kept.list === list && kept.of === of ? kept : none))
  useEffect(() => {
    kept = { ...selection, list, of }
  }, [selection, list, of])
  const { picked, all } = selection
  const pick = (items: readonly Parked[], on: boolean, from: ReadonlyMap<string, Parked> = picked): void => {
    const next = new Map(from)
    for (const item of items) {
      if (on) next.set(keyOf(item), item)
      else next.delete(keyOf(item))
    }
    setSelection(before => ({ ...before, picked: next, all: on && before.all }))
  }
  return {
    picked,
    all,
    pick,
    pickAll: () => setSelection(before => ({ ...before, all: true })),
    clear: () => setSelection(none),
  }
}
