import { X } from 'lucide-react'
import { type ReactNode, useEffect, useState } from 'react'
import { useSearch } from '../../app/router.tsx'
import { Button } from '../Button.tsx'

const WAIT_MS = 400

interface FieldProps {
  readonly name: string
  readonly label: string
}

/** A filter that is part of the address, shortly after it was typed. */
export const TextFilter = ({ name, label, list }: FieldProps & { readonly list?: readonly string[] }) => {
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
    <label className="grid gap-1 text-xs text-muted">
      {label}
      <input
        className="field"
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
    </label>
  )
}

export const SelectFilter = ({
  name,
  label,
  options,
}: FieldProps & { readonly options: readonly (readonly [value: string, label: string])[] }) => {
  const search = useSearch()
  return (
    <label className="grid gap-1 text-xs text-muted">
      {label}
      <select
        className="field"
        value={search.get(name) ?? ''}
        onChange={event => search.set({ [name]: event.target.value, cursor: null })}
      >
        <option value="">Any</option>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

const pad = (value: number): string => String(value).padStart(2, '0')

/** An instant as a `datetime-local` field needs it. */
const asLocal = (instant: string): string => {
  const at = new Date(instant)
  if (Number.isNaN(at.getTime())) return ''
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`
}

/** The address holds the instant in UTC, so that a link means the same to everybody. */
export const TimeFilter = ({ name, label }: FieldProps) => {
  const search = useSearch()
  const given = search.get(name)
  return (
    <label className="grid gap-1 text-xs text-muted">
      {label}
      <input
        type="datetime-local"
        className="field"
        value={given === undefined ? '' : asLocal(given)}
        onChange={({ target: { value } }) => {
          const at = new Date(value)
          search.set({ [name]: Number.isNaN(at.getTime()) ? null : at.toISOString(), cursor: null }, { replace: true })
        }}
      />
    </label>
  )
}

/** Filters side by side, and a button that clears them. */
export const FilterBar = ({ names, children }: { readonly names: readonly string[]; readonly children: ReactNode }) => {
  const search = useSearch()
  const active = names.filter(name => search.get(name) !== undefined)
  return (
    <search
      aria-label="Filters"
      className="card grid grid-cols-2 items-end gap-3 p-3 sm:grid-cols-3 lg:grid-cols-4 2xl:grid-cols-8"
    >
      {children}
      <Button
        look="quiet"
        className="justify-self-start"
        disabled={active.length === 0}
        icon={<X aria-hidden className="size-4" />}
        onClick={() => search.set({ ...Object.fromEntries(names.map(name => [name, null])), cursor: null })}
      >
        Clear filters
      </Button>
    </search>
  )
}
