import { Search } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { usePermissions } from '../api/session.ts'
import { navigate, useSearch } from './router.tsx'

export const SEARCH_BOX = 'search'

/** Searches everything: ids and how they begin, correlation ids, types, errors, and declared members of payloads. */
export const SearchBox = () => {
  const may = usePermissions()
  const asked = useSearch().get('q') ?? ''
  const [text, setText] = useState(asked)
  if (!may('read')) return null
  const search = (event: FormEvent): void => {
    event.preventDefault()
    if (text.trim() !== '') navigate(`/search?q=${encodeURIComponent(text.trim())}`)
  }
  return (
    <search>
      <form onSubmit={search} className="relative">
        <Search aria-hidden className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted" />
        <input
          id={SEARCH_BOX}
          type="search"
          value={text}
          onChange={event => setText(event.target.value)}
          aria-label="Search by id, correlation id or error"
          placeholder="Id, type, error or payload  ( / )"
          className="field pl-8"
        />
      </form>
    </search>
  )
}
