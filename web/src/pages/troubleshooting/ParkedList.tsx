import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { parkedTimes } from '../../../../src/domain/command/columns.ts'
import type { Parked } from '../../api/client.ts'
import { PAGE_SIZE, parkedQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { useSearch } from '../../app/router.tsx'
import { CommandLink } from '../../components/CommandLink.tsx'
import { Pager } from '../../components/lists/Pager.tsx'
import { type Column, Table } from '../../components/lists/Table.tsx'
import { Badge } from '../../components/StatusBadge.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { Tags } from '../../components/Tags.tsx'
import { Ago } from '../../components/Time.tsx'
import { reasonText } from '../commands/CommandFacts.tsx'
import { SelectionBar } from './acting/SelectionBar.tsx'
import { counted } from './acting/target.ts'
import { useParkedFilter } from './useParkedFilter.ts'

const keyOf = ({ domain, commandId }: Parked): string => `${domain}/${commandId}`

/** Marks what still holds. */
const UntilBadge = ({ label, until }: { readonly label: string; readonly until: string | null }) =>
  until !== null &&
  Date.parse(until) > Date.now() && (
    <span className="block">
      <Badge tone="idle">{`${label} ${new Date(until).toLocaleString()}`}</Badge>
    </span>
  )

/** What operators have written down about it. */
export const CareLine = ({ assignee, tags, notes }: Pick<Parked, 'assignee' | 'tags' | 'notes'>) =>
  (assignee !== null || tags.length > 0 || notes > 0) && (
    <span className="mt-0.5 flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-muted">
      {assignee !== null && <span className="wrap-anywhere">{assignee} is on it</span>}
      {notes > 0 && <span>{notes === 1 ? '1 note' : `${notes} notes`}</span>}
      <Tags tags={tags} />
    </span>
  )

export const ParkedList = () => {
  const { get } = useSearch()
  const { filter, fitsActions } = useParkedFilter()
  const cursor = get('cursor')
  const may = usePermissions()
  const parked = useQuery(parkedQuery({ ...filter, ...(cursor === undefined ? {} : { cursor }) }))
  const [picked, setPicked] = useState<ReadonlyMap<string, Parked>>(new Map())
  const [all, setAll] = useState(false)
  const everything = all && fitsActions
  const pick = (items: readonly Parked[], on: boolean, from: ReadonlyMap<string, Parked> = picked): void => {
    const next = new Map(from)
    for (const item of items) {
      if (on) next.set(keyOf(item), item)
      else next.delete(keyOf(item))
    }
    setPicked(next)
  }
  /** With all selected, deselects one: the others of this page stay selected. */
  const unpickOne = (page: readonly Parked[], item: Parked): void => {
    setAll(false)
    pick([item], false, everything ? new Map(page.map(one => [keyOf(one), one])) : picked)
  }

  const selection: Column<Parked> = {
    title: 'Selected',
    quiet: true,
    cell: item => (
      <input
        type="checkbox"
        aria-label={`Select ${item.commandType} ${item.commandId}`}
        checked={everything || picked.has(keyOf(item))}
        onChange={event => {
          if (event.target.checked) pick([item], true)
          else unpickOne(parked.data?.items ?? [], item)
        }}
        className="mt-1 size-4"
      />
    ),
  }
  const columns: readonly Column<Parked>[] = [
    ...(may('operate') ? [selection] : []),
    { title: 'Command', cell: item => <CommandLink {...item} /> },
    {
      title: 'Error',
      cell: item => (
        <>
          {parkedTimes.map(([name, label]) => (
            <UntilBadge key={name} label={label} until={item[name]} />
          ))}
          <span className="font-medium wrap-anywhere">
            {item.lastErrorCode ?? item.lastErrorType ?? reasonText(item.parkedReason)}
          </span>
          <span className="line-clamp-2 text-xs text-muted wrap-anywhere">{item.lastErrorMsg}</span>
          <CareLine {...item} />
        </>
      ),
    },
    {
      title: 'Why here',
      from: 'lg',
      cell: ({ parkedReason }) => <span className="block min-w-32">{reasonText(parkedReason)}</span>,
    },
    {
      title: 'Attempts',
      numeric: true,
      from: 'md',
      cell: ({ attempts, maxAttempts }) => `${attempts} of ${maxAttempts}`,
    },
    { title: 'Since', from: 'sm', cell: ({ updatedAt }) => <Ago at={updatedAt} /> },
  ]
  return (
    <div className="card overflow-clip">
      <Answered query={parked} what="commands in troubleshooting">
        {({ items, nextCursor, total }) => (
          <>
            {may('operate') && (items.length > 0 || picked.size > 0) && (
              <SelectionBar
                items={items}
                picked={[...picked.values()]}
                allPicked={items.length > 0 && items.every(item => picked.has(keyOf(item)))}
                onPickPage={on => pick(items, on)}
                onClear={() => {
                  setAll(false)
                  setPicked(new Map())
                }}
                everything={everything}
                onEverything={() => setAll(true)}
                matching={fitsActions ? { kind: 'matching', filter, total } : null}
              />
            )}
            {items.length === 0 ? (
              <Empty title="Nothing here is in troubleshooting" />
            ) : (
              <Table label="In troubleshooting" rows={items} keyOf={keyOf} columns={columns} />
            )}
            <Pager
              nextCursor={nextCursor}
              summary={`${counted(total)} in all, newest first${total > PAGE_SIZE ? `, ${PAGE_SIZE} a page` : ''}`}
            />
          </>
        )}
      </Answered>
    </div>
  )
}
