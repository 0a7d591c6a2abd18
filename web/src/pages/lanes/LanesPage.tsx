import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ListedLane } from '../../api/client.ts'
import { lanesQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { commandPath, Link, useSearch } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { SelectFilter, TextFilter } from '../../components/lists/Filters.tsx'
import { PagedList } from '../../components/lists/PagedList.tsx'
import type { Column } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { Badge } from '../../components/StatusBadge.tsx'
import { Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { LaneDialog } from './LaneDialog.tsx'

/** The server counts no further. */
const MOST_COUNTED = 1_000
const MOST_SHOWN = 5

const ToCommand = ({ domain, id }: { readonly domain: string; readonly id: string }) => (
  <Link href={commandPath(domain, id)} className="block font-mono text-xs text-accent wrap-anywhere hover:underline">
    {id}
  </Link>
)

const facts: readonly Column<ListedLane>[] = [
  {
    title: 'Lane',
    cell: ({ domain, lane, limit }) => (
      <>
        <span className="font-medium wrap-anywhere">{lane}</span>
        <span className="block text-xs text-muted wrap-anywhere">
          {domain}
          {limit !== null && ` · limit ${limit}`}
        </span>
      </>
    ),
  },
  {
    title: 'Settings',
    from: 'sm',
    cell: ({ width, ratePerSecond, onPark }) => (
      <>
        {width === null ? 'no limit' : `${width} at once`}
        {ratePerSecond !== null && `, ${ratePerSecond} a second`}
        <span className="block text-xs text-muted">a parked one {onPark === 'hold' ? 'holds it' : 'is passed'}</span>
      </>
    ),
  },
  {
    title: 'Running',
    cell: ({ domain, running }) => (
      <>
        {running.slice(0, MOST_SHOWN).map(id => (
          <ToCommand key={id} domain={domain} id={id} />
        ))}
        {running.length > MOST_SHOWN && (
          <span className="text-xs text-muted">and {running.length - MOST_SHOWN} more</span>
        )}
      </>
    ),
  },
  {
    title: 'Waiting',
    cell: ({ waiting, waitingSince }) => (
      <>
        {waiting.toLocaleString('en-US')}
        {waiting >= MOST_COUNTED && ' or more'}
        {waitingSince !== null && (
          <span className="block text-xs text-muted">
            the first since <Ago at={waitingSince} />
          </span>
        )}
      </>
    ),
  },
  {
    title: 'Blocked by',
    cell: ({ domain, blockedBy }) =>
      blockedBy !== null && (
        <>
          <Badge tone={blockedBy.why === 'PARKED' ? 'bad' : 'idle'}>
            {blockedBy.why === 'PARKED' ? 'Parked' : 'Waits for its retry'}
          </Badge>{' '}
          <span className="text-xs text-muted">
            <Ago at={blockedBy.since} />
          </span>
          {blockedBy.commandId === null ? (
            <span className="block text-xs text-muted">a command of another tenant</span>
          ) : (
            <ToCommand domain={domain} id={blockedBy.commandId} />
          )}
        </>
      ),
  },
]

/** Lanes: who runs, who waits since when, and what blocks them. */
export const LanesPage = () => {
  const { get } = useSearch()
  const may = usePermissions()
  const [domain, blocked, cursor] = [get('domain'), get('blocked'), get('cursor')]
  const [changing, setChanging] = useState<ListedLane | null>(null)
  const lanes = useQuery(
    lanesQuery({
      ...(domain === undefined ? {} : { domain }),
      ...(blocked === undefined ? {} : { blocked: blocked as unknown as boolean }),
      ...(cursor === undefined ? {} : { cursor }),
    }),
  )
  const change: Column<ListedLane> = {
    title: 'Actions',
    quiet: true,
    cell: lane =>
      may('operate', lane.domain) && (
        <Button data-row look="quiet" aria-label={`Change lane ${lane.lane}`} onClick={() => setChanging(lane)}>
          Change
        </Button>
      ),
  }
  return (
    <Page title="Lanes" intro="At most so many commands of a lane run at once, in the order in which they were sent.">
      <PagedList
        query={lanes}
        names={['lane', 'lanes']}
        csv="listLanes"
        columns={may('operate') ? [...facts, change] : facts}
        keyOf={({ domain, lane }) => `${domain}/${lane}`}
        filters={
          <div className="grid max-w-md grid-cols-2 gap-3 p-3">
            <TextFilter name="domain" label="Domain" />
            <SelectFilter
              name="blocked"
              label="Blocked"
              options={[
                ['true', 'Blocked'],
                ['false', 'Not blocked'],
              ]}
            />
          </div>
        }
        empty={<Empty title="There are no lanes: send commands with a key, or set a limit" />}
      />
      {changing !== null && <LaneDialog lane={changing} onClose={() => setChanging(null)} />}
    </Page>
  )
}
