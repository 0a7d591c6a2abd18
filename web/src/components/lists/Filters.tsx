import { SlidersHorizontal, X } from 'lucide-react'
import { createContext, type ReactNode, useContext, useEffect, useId, useState } from 'react'
import { useSearch } from '../../app/router.tsx'
import { Button } from '../Button.tsx'
import { useZone, type Zone } from '../time/clock.ts'

const WAIT_MS = 400

/** Whether a bar of filters shows also those that are seldom used. */
const AllShown = createContext(true)

interface FieldProps {
  readonly name: string
  readonly label: string
  /** Seldom used: in a bar it is shown when it holds something, or when all are asked for. */
  readonly rare?: boolean | undefined
}

interface FilterProps extends Omit<FieldProps, 'name'> {
  readonly value: string | undefined
  readonly onClear: () => void
  /** The field, which has this id. */
  readonly children: (id: string) => ReactNode
}

/** The label beside its field, in one line. One that filters stands out, and can be taken away. */
const Filter = ({ label, rare = false, value, onClear, children }: FilterProps) => {
  const [id, labelId] = [useId(), useId()]
  const all = useContext(AllShown)
  const filters = value !== undefined
  if (rare && !all && !filters) return null
  return (
    <div
      className={`relative grid min-w-0 rounded-md border text-xs sm:flex sm:items-center ${filters ? 'border-accent bg-accent-soft' : 'border-line bg-surface'}`}
    >
      <label htmlFor={id} className="grid min-w-0 sm:flex sm:items-center">
        <span
          id={labelId}
          className={`px-2 pt-1 whitespace-nowrap sm:py-1.5 sm:pr-0 ${filters ? 'text-accent' : 'text-muted'}`}
        >
          {label}
        </span>
        {children(id)}
      </label>
      {filters && (
        <button
          type="button"
          onClick={onClear}
          aria-label="Remove this filter"
          aria-describedby={labelId}
          title="Remove this filter"
          className="absolute top-0 right-0 rounded p-1.5 text-accent hover:bg-raised sm:static"
        >
          <X aria-hidden className="size-3.5" />
        </button>
      )}
    </div>
  )
}

const FIELD = 'min-h-8 w-full min-w-0 rounded-md bg-transparent px-2 py-1 text-sm text-ink'

/** A filter that is part of the address, shortly after it was typed. */
export const TextFilter = ({ name, label, rare, list }: FieldProps & { readonly list?: readonly string[] }) => {
  const search = useSearch()
  const given = search.get(name) ?? ''
  const [text, setText] = useState(given)
  const [seen, setSeen] = useState(given)
  if (given !== seen) {
    setSeen(given)
    setText(given)
  }
  const { set } = search
  useEffect(() => {
    if (text.trim() === given) return
    const timer = setTimeout(() => set({ [name]: text.trim(), cursor: null }, { replace: true }), WAIT_MS)
    return () => clearTimeout(timer)
  }, [text, given, name, set])
  return (
    <Filter label={label} rare={rare} value={given || undefined} onClear={() => set({ [name]: null, cursor: null })}>
      {id => (
        <>
          <input
            id={id}
            className={`${FIELD} sm:w-32 xl:w-24 2xl:w-40`}
            value={text}
            onChange={event => setText(event.target.value)}
            autoComplete="off"
            list={list === undefined ? undefined : `list-${name}`}
          />
          {list !== undefined && (
            <datalist id={`list-${name}`}>
              {list.map(option => (
                <option key={option} value={option} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Filter>
  )
}

interface SelectProps extends FieldProps {
  readonly options: readonly (readonly [value: string, label: string])[]
}

export const SelectFilter = ({ name, label, rare, options }: SelectProps) => {
  const search = useSearch()
  const given = search.get(name)
  const choose = (value: string | null): void => search.set({ [name]: value, cursor: null })
  return (
    <Filter label={label} rare={rare} value={given} onClear={() => choose(null)}>
      {id => (
        <select
          id={id}
          className={`${FIELD} sm:w-auto`}
          value={given ?? ''}
          onChange={event => choose(event.target.value)}
        >
          <option value="">Any</option>
          {given !== undefined && !options.some(([value]) => value === given) && <option value={given}>{given}</option>}
          {options.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Filter>
  )
}

const pad = (value: number): string => String(value).padStart(2, '0')

/** An instant as a `datetime-local` field needs it. */
const asField = (instant: string, zone: Zone): string => {
  const at = new Date(instant)
  if (Number.isNaN(at.getTime())) return ''
  if (zone === 'utc') return at.toISOString().slice(0, 16)
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`
}

/** The address holds the instant in UTC, so that a link means the same to everybody. */
export const TimeFilter = ({ name, label, rare }: FieldProps) => {
  const search = useSearch()
  const zone = useZone()
  const given = search.get(name)
  return (
    <Filter label={label} rare={rare} value={given} onClear={() => search.set({ [name]: null, cursor: null })}>
      {id => (
        <input
          id={id}
          type="datetime-local"
          className={`${FIELD} sm:w-auto`}
          value={given === undefined ? '' : asField(given, zone)}
          onChange={({ target: { value } }) => {
            const at = new Date(zone === 'utc' ? `${value}Z` : value)
            search.set(
              { [name]: Number.isNaN(at.getTime()) ? null : at.toISOString(), cursor: null },
              { replace: true },
            )
          }}
        />
      )}
    </Filter>
  )
}

interface FilterBarProps {
  readonly names: readonly string[]
  readonly children: ReactNode
  /** Whether some of the filters are rare. */
  readonly more?: boolean
}

/** Filters in one line, and buttons that show the rare ones and clear all. */
export const FilterBar = ({ names, more = false, children }: FilterBarProps) => {
  const search = useSearch()
  const [all, setAll] = useState(false)
  const active = names.some(name => search.get(name) !== undefined)
  return (
    <search aria-label="Filters" className="grid grow grid-cols-2 gap-2 sm:flex sm:flex-wrap sm:items-center">
      <AllShown value={all || !more}>{children}</AllShown>
      {more && (
        <Button
          look="quiet"
          aria-expanded={all}
          icon={<SlidersHorizontal aria-hidden className="size-4" />}
          onClick={() => setAll(!all)}
        >
          {all ? 'Fewer filters' : 'More filters'}
        </Button>
      )}
      {active && (
        <Button
          look="quiet"
          icon={<X aria-hidden className="size-4" />}
          onClick={() => search.set({ ...Object.fromEntries(names.map(name => [name, null])), cursor: null })}
        >
          Clear filters
        </Button>
      )}
    </search>
  )
}
