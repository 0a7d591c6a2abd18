import { Link, useSearch } from '../../app/router.tsx'

interface ViewsProps {
  /** The first one is the default. */
  readonly views: readonly (readonly [name: string, label: string])[]
  readonly path: string
}

/** Which view the address asks for. */
export const useView = <Name extends string>(views: readonly (readonly [Name, string])[]): Name | undefined => {
  const asked = useSearch().get('view')
  return (views.find(([name]) => name === asked) ?? views[0])?.[0]
}

/** Links to the views of the same data; they keep the filters. */
export const Views = ({ views, path }: ViewsProps) => {
  const search = useSearch()
  const view = useView(views)
  const addressOf = (name: string): string => {
    const params = new URLSearchParams(search.text)
    params.delete('cursor')
    if (name === views[0]?.[0]) params.delete('view')
    else params.set('view', name)
    return params.size === 0 ? path : `${path}?${params}`
  }
  return (
    <nav aria-label="Views" className="flex flex-wrap gap-1">
      {views.map(([name, label]) => (
        <Link
          key={name}
          href={addressOf(name)}
          aria-current={view === name ? 'true' : undefined}
          className={`rounded-md px-3 py-1.5 text-sm font-medium ${view === name ? 'bg-accent-soft text-accent' : 'text-muted hover:bg-raised'}`}
        >
          {label}
        </Link>
      ))}
    </nav>
  )
}
