import { useMemo } from 'react'
import { useSearch } from '../../app/router.tsx'
import type { ParkedFilter } from './acting/target.ts'

export const filterNames = ['domain', 'commandType', 'errorCode', 'from', 'to', 'q'] as const

/** Reads from the address the conditions, which an action can take, and the free text, which it cannot. */
export const useParkedFilter = (): { readonly filter: ParkedFilter; readonly q: string | undefined } => {
  const { get } = useSearch()
  return useMemo(() => {
    const pairs = filterNames.flatMap(name => {
      const value = get(name)
      return value === undefined || name === 'q' ? [] : [[name, value] as const]
    })
    return { filter: Object.fromEntries(pairs), q: get('q') }
  }, [get])
}
