import { SearchX } from 'lucide-react'
import { ApiProblem } from '../../api/client.ts'
import { navigate, useSearch } from '../../app/router.tsx'
import { Button } from '../Button.tsx'

interface Fault {
  readonly name: string
  readonly value: string
}

/** The parts of the address that the server refused. */
const faultsOf = (error: unknown, get: (name: string) => string | undefined): readonly Fault[] =>
  error instanceof ApiProblem && error.status === 400
    ? error.errors.flatMap(({ path }) => {
        const value = get(path)
        return value === undefined ? [] : [{ name: path, value }]
      })
    : []

/** `createdAfter` as people say it. */
const words = (name: string): string => name.replace(/[A-Z]/g, capital => ` ${capital.toLowerCase()}`)

/** What is wrong with the address, if that is why there is nothing to show. */
export const useAddressFault = (error: unknown) => {
  const { get } = useSearch()
  const faults = faultsOf(error, get)
  return faults.length === 0 ? null : <AddressFault faults={faults} view={get('view')} />
}

interface AddressFaultProps {
  readonly faults: readonly Fault[]
  readonly view: string | undefined
}

const AddressFault = ({ faults, view }: AddressFaultProps) => {
  const { set } = useSearch()
  const filters = faults.filter(({ name }) => name !== 'cursor')
  const clear = () => navigate(view === undefined ? location.pathname : `${location.pathname}?view=${view}`)
  return (
    <div role="alert" className="grid justify-items-center gap-2 px-4 py-10 text-center text-sm">
      <SearchX aria-hidden className="size-7 text-warn" />
      {filters.map(({ name, value }) => (
        <p key={name} className="max-w-prose font-medium wrap-anywhere">
          The filter “{words(name)}” cannot be “{value}”.
        </p>
      ))}
      {filters.length === 0 && <p className="font-medium">The address names a page that this list does not have.</p>}
      <p className="text-muted">The address may have been changed or cut.</p>
      {filters.length === 0 ? (
        <Button onClick={() => set({ cursor: null })}>First page</Button>
      ) : (
        <Button onClick={clear}>Clear filters</Button>
      )}
    </div>
  )
}
