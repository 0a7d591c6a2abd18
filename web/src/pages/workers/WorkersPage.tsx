import { useQuery } from '@tanstack/react-query'
import type { ListedWorker } from '../../api/client.ts'
import { workersQuery } from '../../api/watching-queries.ts'
import { commandPath, Link, useSearch } from '../../app/router.tsx'
import { TextFilter } from '../../components/lists/Filters.tsx'
import { type Column, Table } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { Badge, type Tone } from '../../components/StatusBadge.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { MissingWorkers } from './MissingWorkers.tsx'

const looks: Readonly<Record<ListedWorker['status'], { readonly label: string; readonly tone: Tone }>> = {
  live: { label: 'Live', tone: 'ok' },
  stopping: { label: 'Stopping', tone: 'idle' },
  lost: { label: 'Lost', tone: 'bad' },
}

const MOST_SHOWN = 5

const Runs = ({ domain, running, busy }: ListedWorker) => (
  <>
    {running.slice(0, MOST_SHOWN).map(({ commandId, commandType, attempt, since }) => (
      <span key={commandId} className="block text-xs">
        <Link href={commandPath(domain, commandId)} className="text-accent hover:underline">
          {commandType} <span className="font-mono wrap-anywhere">{commandId}</span>
        </Link>
        <span className="text-muted">
          {' '}
          attempt {attempt}, <Ago at={since} />
        </span>
      </span>
    ))}
    {busy > Math.min(running.length, MOST_SHOWN) && (
      <span className="text-xs text-muted">
        {running.length === 0 ? `${busy} running` : `and ${busy - Math.min(running.length, MOST_SHOWN)} more`}
      </span>
    )}
  </>
)

const columns: readonly Column<ListedWorker>[] = [
  {
    title: 'Worker',
    cell: ({ workerId, host, pid }) => (
      <>
        <span className="font-mono text-xs wrap-anywhere">{workerId.replace(/^worker:/, '')}</span>
        {host !== null && (
          <span className="block text-xs text-muted wrap-anywhere">
            {host}, process {pid}
          </span>
        )}
      </>
    ),
  },
  {
    title: 'Domain',
    cell: ({ domain, types }) => (
      <>
        <span className="font-medium wrap-anywhere">{domain}</span>
        <span className="line-clamp-2 text-xs text-muted wrap-anywhere" title={types.join(', ')}>
          {types.includes('*') ? 'every type' : types.join(', ')}
        </span>
      </>
    ),
  },
  { title: 'Build', from: 'sm', cell: ({ build }) => <span className="text-xs wrap-anywhere">{build ?? '–'}</span> },
  { title: 'Slots used', numeric: true, cell: ({ busy, slots }) => `${busy} of ${slots}` },
  {
    title: 'State',
    cell: ({ status, beatAt }) => (
      <>
        <Badge tone={looks[status].tone}>{looks[status].label}</Badge>
        <span className="block text-xs text-muted">
          heard <Ago at={beatAt} />
        </span>
      </>
    ),
  },
  { title: 'Started', from: 'lg', cell: ({ startedAt }) => <Ago at={startedAt} /> },
  { title: 'Runs', from: 'md', cell: worker => <Runs {...worker} /> },
]

/** Who works: every worker that announced itself within the last hour. */
export const WorkersPage = () => {
  const domain = useSearch().get('domain')
  const workers = useQuery(workersQuery(domain === undefined ? {} : { domain }))
  return (
    <Page
      title="Workers"
      intro="Every worker that was heard of within the last hour. One that is silent for 20 seconds is lost."
    >
      <MissingWorkers />
      <div className="card overflow-hidden">
        <div className="max-w-60 p-3">
          <TextFilter name="domain" label="Domain" />
        </div>
        <Answered query={workers} what="workers">
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No worker was heard of">
                <p>Start one in your program, or with `commandbus worker --handlers`.</p>
              </Empty>
            ) : (
              <Table
                label="Workers"
                columns={columns}
                rows={items}
                keyOf={({ workerId, domain, startedAt, host, pid }) =>
                  `${workerId} ${domain} ${host} ${pid} ${startedAt}`
                }
              />
            )
          }
        </Answered>
      </div>
    </Page>
  )
}
