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
    const given = parkedConditions.flatMap(([name, { kind, ofActions }]) => {
      const text = get(name)
      return text === undefined ? [] : [{ name, value: kind === 'boolean' ? text === 'true' : text, ofActions }]
    })
    return {
      filter: Object.fromEntries(given.map(({ name, value }) => [name, value])),
      fitsActions: given.every(({ ofActions }) => ofActions),
    }
  }, [get])
}
