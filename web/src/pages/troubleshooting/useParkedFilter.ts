import { useMemo } from 'react'
import { type Condition, type ParkedFilter, parkedConditions } from '../../../../src/domain/command/parking.ts'
import { useSearch } from '../../app/router.tsx'

interface GivenFilter {
  readonly filter: ParkedFilter
  /** Whether an action on many commands can take all of these conditions. */
  readonly fitsActions: boolean
}

/** What is neither true nor false is passed on: the server refuses it, and the page says so. */
const readValue = ({ kind }: Condition, text: string | undefined): unknown =>
  kind === 'boolean' && (text === 'true' || text === 'false') ? text === 'true' : text

/** Reads the conditions from the address. */
export const useParkedFilter = (): GivenFilter => {
  const { get } = useSearch()
  return useMemo(() => {
    const given = parkedConditions.filter(([name]) => get(name) !== undefined)
    return {
      filter: Object.fromEntries(given.map(([name, condition]) => [name, readValue(condition, get(name))])),
      fitsActions: given.every(([, { onlyLists }]) => !onlyLists),
    }
  }, [get])
}
