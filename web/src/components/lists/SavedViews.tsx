import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Bookmark, X } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { toast } from 'react-hot-toast/headless'
import { api, type SavedView } from '../../api/client.ts'
import { explain } from '../../api/problem.ts'
import { viewsQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { Link, useSearch } from '../../app/router.tsx'
import { Button } from '../Button.tsx'

type Filter = Readonly<Record<string, string>>

/** Views that everybody has. */
const presets: Readonly<Record<SavedView['list'], readonly (readonly [name: string, filter: Filter])[]>> = {
  commands: [
    ['Waiting for retry', { retrying: 'true' }],
    ['Slow', { status: 'IN_PROGRESS', createdBefore: '-10m' }],
  ],
  troubleshooting: [['Parked last hour', { view: 'list', from: '-1h' }]],
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time such as `-1h`, by the clock of now; everything else is as it is. */
const resolved = (value: string): string => {
  const [, count, unit = ''] = /^-(\d{1,5})([mhd])$/.exec(value) ?? []
  return count === undefined ? value : new Date(Date.now() - Number(count) * (UNITS[unit] ?? 0)).toISOString()
}

const addressOf = (path: string, filter: Filter): string =>
  `${path}?${new URLSearchParams(Object.entries(filter).map(([name, value]) => [name, resolved(value)]))}`

interface SavedViewsProps {
  readonly list: SavedView['list']
  readonly path: string
  /** The filters of the list, as the address names them. */
  readonly names: readonly string[]
}

/** Named filters: those that everybody has, the shared ones and one's own; and a way to keep the present filters. */
export const SavedViews = ({ list, path, names }: SavedViewsProps) => {
  const { get } = useSearch()
  const may = usePermissions()
  const queries = useQueryClient()
  const views = useQuery(viewsQuery())
  const [name, setName] = useState<string | null>(null)
  const [shared, setShared] = useState(false)
  const onSettled = () => queries.invalidateQueries({ queryKey: ['views'] })
  const onError = (error: unknown): void => void toast.error(explain(error))
  const keep = useMutation({
    mutationFn: (as: string) =>
      api.setView({ params: { name: as }, body: { list, filter: present, ...(shared ? { shared } : {}) } }),
    onSuccess: () => setName(null),
    onError,
    onSettled,
  })
  const remove = useMutation({
    mutationFn: (view: SavedView) =>
      api.deleteView({ params: { name: view.name }, query: view.shared ? { shared: true } : {} }),
    onError,
    onSettled,
  })
  const present = Object.fromEntries(
    names.flatMap(one => {
      const value = get(one)
      return value === undefined ? [] : [[one, value]]
    }),
  )
  const save = (event: FormEvent): void => {
    event.preventDefault()
    if (name !== null && name.trim() !== '') keep.mutate(name.trim())
  }
  const own = (views.data?.items ?? []).filter(view => view.list === list)
  const look = 'rounded-md border border-line px-2 py-1 hover:bg-raised'
  return (
    <section aria-label="Saved views" className="flex flex-wrap items-center gap-2 text-sm">
      {presets[list].map(([label, filter]) => (
        <Link key={label} href={addressOf(path, filter)} className={look}>
          {label}
        </Link>
      ))}
      {own.map(view => (
        <span key={`${view.name} ${view.shared}`} className="inline-flex items-center">
          <Link
            href={addressOf(path, view.filter)}
            className={look}
            title={view.shared ? `Shared by ${view.updatedBy}` : 'Yours'}
          >
            {view.name}
          </Link>
          {(!view.shared || may('operate')) && (
            <Button
              look="quiet"
              aria-label={`Delete view ${view.name}`}
              onClick={() => remove.mutate(view)}
              className="px-1"
            >
              <X aria-hidden className="size-3.5" />
            </Button>
          )}
        </span>
      ))}
      {name === null ? (
        <Button
          look="quiet"
          icon={<Bookmark aria-hidden className="size-4" />}
          disabled={Object.keys(present).length === 0}
          onClick={() => setName('')}
        >
          Save these filters
        </Button>
      ) : (
        <form onSubmit={save} className="flex flex-wrap items-center gap-2">
          <input
            aria-label="Name of the view"
            placeholder="Name"
            className="field max-w-48"
            value={name}
            onChange={event => setName(event.target.value)}
            maxLength={100}
          />
          {may('operate') && (
            <label className="flex items-center gap-1">
              <input type="checkbox" checked={shared} onChange={event => setShared(event.target.checked)} />
              Shared
            </label>
          )}
          <Button type="submit" busy={keep.isPending} disabled={name.trim() === ''}>
            Save
          </Button>
          <Button look="quiet" onClick={() => setName(null)}>
            Cancel
          </Button>
        </form>
      )}
    </section>
  )
}
