import { useQuery } from '@tanstack/react-query'
import { Plus, RefreshCw } from 'lucide-react'
import { useState } from 'react'
import type { Operation } from '../../api/client.ts'
import { operationsQuery } from '../../api/queries.ts'
import { Link, navigate, useSearch } from '../../app/router.tsx'
import { Button } from '../../components/Button.tsx'
import { SelectFilter } from '../../components/lists/Filters.tsx'
import { PagedList } from '../../components/lists/PagedList.tsx'
import type { Column } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { StartDialog } from './StartDialog.tsx'
import { useRetryOperation } from './useRetryOperation.ts'
import { OperationBadge, statuses, statusText, typeWords } from './words.tsx'

const RetryButton = ({ operation }: { readonly operation: Operation }) => {
  const retry = useRetryOperation(next => navigate(`/operations/${next.id}`))
  if (!operation.retriable) return null
  return (
    <Button
      busy={retry.isPending}
      icon={<RefreshCw aria-hidden className="size-4" />}
      aria-label={`Retry ${typeWords(operation.operation_type)} ${operation.id}`}
      onClick={() => retry.mutate(operation.id)}
    >
      {retry.isPending ? 'Retrying...' : 'Retry'}
    </Button>
  )
}

const columns: readonly Column<Operation>[] = [
  {
    title: 'Operation',
    cell: ({ id, operation_type, retry_count }) => (
      <Link href={`/operations/${id}`} data-row className="group block rounded xl:flex xl:items-baseline xl:gap-3">
        <span
          title={typeWords(operation_type)}
          className="font-medium text-accent group-hover:underline xl:w-64 xl:shrink-0 xl:truncate"
        >
          {typeWords(operation_type)}
        </span>
        <span className="block font-mono text-xs text-muted wrap-anywhere">{id}</span>
        {retry_count > 0 && <span className="text-xs text-muted">retry {retry_count}</span>}
      </Link>
    ),
  },
  {
    title: 'Status',
    grows: true,
    cell: ({ status, error_message }) => (
      <>
        <OperationBadge status={status} />
        <span className="line-clamp-2 text-xs text-muted wrap-anywhere xl:ml-2 xl:inline">
          {error_message?.split('What to do:')[0] ?? statusText(status)}
        </span>
      </>
    ),
  },
  {
    title: 'Session',
    from: 'lg',
    cell: ({ session_id }) => <span className="wrap-anywhere">{session_id ?? '–'}</span>,
  },
  { title: 'Started', from: 'sm', cell: ({ created_at }) => <Ago at={created_at} /> },
  { title: 'Action', quiet: true, cell: operation => <RetryButton operation={operation} /> },
]

export const OperationsPage = () => {
  const { get } = useSearch()
  const [status, cursor] = [get('status'), get('cursor')]
  const [starting, setStarting] = useState(false)
  const operations = useQuery(
    operationsQuery({
      // what the server does not know it refuses, and the page says so
      ...(status === undefined ? {} : { status: status as Operation['status'] }),
      ...(cursor === undefined ? {} : { cursor }),
    }),
  )
  return (
    <Page
      title="Operations"
      intro="Work that you have started. Temporary failures are retried automatically, three times."
      aside={
        <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setStarting(true)}>
          Start
        </Button>
      }
    >
      <PagedList
        query={operations}
        names={['operation', 'operations']}
        csv="listOperations"
        columns={columns}
        keyOf={({ id }) => id}
        dense
        filters={
          <div className="max-w-56 p-3">
            <SelectFilter name="status" label="Status" options={statuses} />
          </div>
        }
        empty={
          <Empty title={status === undefined ? 'You have started no operation yet' : 'No operation has this status'} />
        }
      />
      {starting && <StartDialog onClose={() => setStarting(false)} />}
    </Page>
  )
}
