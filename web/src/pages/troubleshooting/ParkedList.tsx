import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { parkedTimes } from '../../../../src/domain/command/columns.ts'
import type { Parked } from '../../api/client.ts'
import { PAGE_SIZE, parkedQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { commandPath, useSearch } from '../../app/router.tsx'
import { CommandLink } from '../../components/CommandLink.tsx'
import { DownloadCsv } from '../../components/lists/DownloadCsv.tsx'
import { Pager } from '../../components/lists/Pager.tsx'
import { byTime, type Column, type Sort, SteadyTable, useListName } from '../../components/lists/Table.tsx'
import { useSteadyRows } from '../../components/lists/useSteadyRows.ts'
import { rememberList } from '../../components/lists/visited.ts'
import { Badge } from '../../components/StatusBadge.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { Tags } from '../../components/Tags.tsx'
import { Ago } from '../../components/Time.tsx'
import { dateText } from '../../components/time/clock.ts'
import { reasonText } from '../commands/CommandFacts.tsx'
import { SelectionBar } from './acting/SelectionBar.tsx'
import { counted } from './acting/target.ts'
import { keyOf, useSelection } from './selection.ts'
import { useParkedFilter } from './useParkedFilter.ts'

const NONE: readonly Parked[] = []
const byAttempts: readonly Sort[] = [['attempts', 'descending']]

const orders: Readonly<Record<string, string>> = { oldest: 'oldest first', attempts: 'most attempts first' }

/** Marks what still holds. */
const UntilBadge = ({ label, until }: { readonly label: string; readonly until: string | null }) =>
  until !== null &&
  Date.parse(until) > Date.now() && (
    <span className="block xl:mr-2 xl:inline">
      <Badge tone="idle">{`${label} ${dateText(until)}`}</Badge>
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
  const { get, text } = useSearch()
  const { filter, fitsActions } = useParkedFilter()
  const cursor = get('cursor')
  const sort = get('sort')
  const may = usePermissions()
  const parked = useQuery(
    parkedQuery({
      ...filter,
      ...(cursor === undefined ? {} : { cursor }),
      // what the server does not know it refuses, and the page says so
      ...(sort === undefined ? {} : { sort: sort as 'oldest' }),
    }),
  )
  const address = `/troubleshooting${text}`
  const { picked, all, pick, pickAll, clear } = useSelection(address)
  const steady = useSteadyRows(parked.data?.items ?? NONE, keyOf, useListName(parked.isPlaceholderData))
  const { rows } = steady
  const everything = all && fitsActions
  useEffect(() => {
    const shown = rows.map(({ domain, commandId }) => commandPath(domain, commandId))
    if (shown.length > 0) rememberList(address, shown)
  }, [address, rows])

  const selection: Column<Parked> = {
    title: 'Selected',
    quiet: true,
    cell: item => (
      <input
        type="checkbox"
        aria-label={`Select ${item.commandType} ${item.commandId}`}
        checked={everything || picked.has(keyOf(item))}
        onChange={event => {
          // with all selected, the others of this page stay selected
          if (event.target.checked) pick([item], true)
          else pick([item], false, everything ? new Map(rows.map(one => [keyOf(one), one])) : picked)
        }}
        className="mt-1 size-4 xl:mt-0 xl:align-middle"
      />
    ),
  }
  const columns: readonly Column<Parked>[] = [
    ...(may('operate') ? [selection] : []),
    { title: 'Command', cell: item => <CommandLink {...item} dense /> },
    {
      title: 'Error',
      grows: true,
      cell: item => (
        <>
          {parkedTimes.map(([name, label]) => (
            <UntilBadge key={name} label={label} until={item[name]} />
          ))}
          <span className="font-medium wrap-anywhere xl:mr-2">
            {item.lastErrorCode ?? item.lastErrorType ?? reasonText(item.parkedReason)}
          </span>
          <span title={item.lastErrorMsg ?? undefined} className="text-xs text-muted">
            <span className="line-clamp-2 wrap-anywhere xl:inline">{item.lastErrorMsg}</span>
          </span>
          <span className="block text-xs text-muted sm:hidden">
            <Ago at={item.parkedAt} />
          </span>
          <CareLine {...item} />
        </>
      ),
    },
    {
      title: 'Reason',
      from: 'lg',
      cell: ({ parkedReason }) => (
        <span title={reasonText(parkedReason)} className="block min-w-32 xl:max-w-40 xl:truncate">
          {reasonText(parkedReason)}
        </span>
      ),
    },
    {
      title: 'Attempts',
      numeric: true,
      from: 'md',
      sorts: byAttempts,
      cell: ({ attempts, maxAttempts }) => `${attempts} of ${maxAttempts}`,
    },
    { title: 'Since', from: 'sm', sorts: byTime, cell: ({ parkedAt }) => <Ago at={parkedAt} /> },
  ]
  return (
    <div className="card overflow-clip">
      <Answered query={parked} what="commands in troubleshooting">
        {({ items, nextCursor, total }) => (
          <>
            {may('operate') && (items.length > 0 || picked.size > 0) && (
              <SelectionBar
                items={rows}
                picked={[...picked.values()]}
                allPicked={rows.length > 0 && rows.every(item => picked.has(keyOf(item)))}
                onPickPage={on => pick(rows, on)}
                onClear={clear}
                everything={everything}
                onEverything={pickAll}
                matching={fitsActions ? { kind: 'matching', filter, total } : null}
              />
            )}
            {items.length === 0 ? (
              <Empty title="Nothing here is in troubleshooting" />
            ) : (
              <SteadyTable label="In troubleshooting" dense steady={steady} keyOf={keyOf} columns={columns} />
            )}
            <Pager
              nextCursor={nextCursor}
              download={<DownloadCsv list="listParked" name="troubleshooting" />}
              summary={`${counted(total)} in total, ${orders[sort ?? ''] ?? 'newest first'}${total > PAGE_SIZE ? `, ${PAGE_SIZE} per page` : ''}`}
            />
          </>
        )}
      </Answered>
    </div>
  )
}
