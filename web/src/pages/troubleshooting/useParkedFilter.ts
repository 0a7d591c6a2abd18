import { useMemo } from 'react'
import { type ParkedFilter, parkedConditions } from '../../../../src/domain/command/parking.ts'
import { useSearch } from '../../app/router.tsx'

interface GivenFilter {
  readonly filter: ParkedFilter
  /** Whether an action on many commands can take all of these conditions. */
  readonly fitsActions: boolean
}

/** Reads the conditions from the address. */
export const useParkedFilter = (): GivenFilter => {
  const { get } = useSearch()
  return useMemo(() => {
    const given = parkedConditions.filter(([name]) => get(name) !== undefined)
    return {
      filter: Object.fromEntries(
        given.map(([name, { kind }]) => [name, kind === 'boolean' ? get(name) === 'true' : get(name)]),
      ),
      fitsActions: given.every(([, { onlyLists }]) => !onlyLists),
    }
  }, [get])
}
