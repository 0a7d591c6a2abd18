import { useMemo } from 'react'
import { useSearch } from '../../app/router.tsx'
import type { ParkedFilter } from './acting/target.ts'

const ofActions = ['domain', 'commandType', 'errorCode', 'from', 'to'] as const

export const filterNames = [...ofActions, 'q', 'snoozed'] as const

interface GivenFilter {
  readonly filter: ParkedFilter
  /** Conditions of lists that an action on many commands cannot take. */
  readonly ofLists: { readonly q?: string; readonly snoozed?: boolean }
  /** Whether an action can take all conditions. */
  readonly fitsActions: boolean
}

/** Reads the conditions from the address. */
export const useParkedFilter = (): GivenFilter => {
  const { get } = useSearch()
  return useMemo(() => {
    const pairs = ofActions.flatMap(name => {
      const value = get(name)
      return value === undefined ? [] : [[name, value] as const]
    })
    const [q, snoozed] = [get('q'), get('snoozed')]
    return {
      filter: Object.fromEntries(pairs),
      ofLists: { ...(q === undefined ? {} : { q }), ...(snoozed === undefined ? {} : { snoozed: snoozed === 'true' }) },
      fitsActions: q === undefined && snoozed === undefined,
    }
  }, [get])
}
