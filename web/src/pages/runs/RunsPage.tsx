import { useQuery } from '@tanstack/react-query'
import { Coins, LayoutTemplate, Plus } from 'lucide-react'
import { useState } from 'react'
import type { Run } from '../../api/client.ts'
import { runsQuery } from '../../api/queries.ts'
import { useSessionState } from '../../api/session.ts'
import { Link, useSearch } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { SelectFilter, TextFilter } from '../../components/lists/Filters.tsx'
import { PagedList } from '../../components/lists/PagedList.tsx'
import type { Column } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { StartRunDialog } from './StartRunDialog.tsx'
import { credits, RunBadge, runOptions } from './words.tsx'

const columns: readonly Column<Run>[] = [
  {
    title: 'Run',
    cell: ({ id, templateName, tenantId }) => (
      <Link href={`/runs/${id}`} data-row className="group block rounded xl:flex xl:items-baseline xl:gap-3">
        <span
          title={templateName}
          className="font-medium text-accent group-hover:underline xl:w-64 xl:shrink-0 xl:truncate"
        >
          {templateName}
        </span>
        <span className="block text-xs text-muted">
          {tenantId} · <span className="font-mono wrap-anywhere">{id}</span>
        </span>
      </Link>
    ),
  },
  { title: 'Status', grows: true, cell: ({ status }) => <RunBadge status={status} /> },
  {
    title: 'Files',
    numeric: true,
    from: 'sm',
    cell: ({ perFileResults }) =>
      `${perFileResults.filter(({ status }) => status === 'completed').length} of ${perFileResults.length}`,
  },
  { title: 'Credits', numeric: true, from: 'md', cell: ({ creditsConsumed }) => creditsConsumed },
  { title: 'Round', numeric: true, from: 'lg', cell: ({ round }) => round },
  { title: 'Started', from: 'sm', cell: ({ createdAt }) => <Ago at={createdAt} /> },
]

export const RunsPage = () => {
  const { get } = useSearch()
  const { session } = useSessionState()
  const [status, tenantId, cursor] = [get('status'), get('tenantId'), get('cursor')]
  const [starting, setStarting] = useState(false)
  const runs = useQuery(
    runsQuery({
      // what the server does not know it refuses, and the page says so
      ...(status === undefined ? {} : { status: status as Run['status'] }),
      ...(tenantId === undefined ? {} : { tenantId }),
      ...(cursor === undefined ? {} : { cursor }),
    }),
  )
  return (
    <Page
      title="Workflow runs"
      intro={`A run processes files. Each costs ${credits(1)}, or the price of its template.`}
      aside={
        <>
          <Link href="/credits" className="inline-flex items-center gap-1.5 text-sm text-accent hover:underline">
            <Coins aria-hidden className="size-4" />
            Credits
          </Link>
          <Link href="/runs/templates" className="inline-flex items-center gap-1.5 text-sm text-accent hover:underline">
            <LayoutTemplate aria-hidden className="size-4" />
            Templates
          </Link>
          <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setStarting(true)}>
            Start a run
          </Button>
        </>
      }
    >
      <PagedList
        query={runs}
        names={['run', 'runs']}
        csv="listRuns"
        columns={columns}
        keyOf={({ id }) => id}
        dense
        filters={
          <div className="grid grid-cols-2 gap-3 p-3 sm:max-w-md">
            <SelectFilter name="status" label="Status" options={runOptions} />
            {session?.tenant === null && <TextFilter name="tenantId" label="Tenant" />}
          </div>
        }
        empty={<Empty title={status === undefined ? 'There are no runs yet' : 'No run has this status'} />}
      />
      {starting && <StartRunDialog tenantId={tenantId} onClose={() => setStarting(false)} />}
    </Page>
  )
}
