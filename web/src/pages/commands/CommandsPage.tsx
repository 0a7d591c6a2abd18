import { useQuery } from '@tanstack/react-query'
import { commandStatuses } from '../../../../src/domain/command/transitions.ts'
import type { Command } from '../../api/client.ts'
import { commandsQuery, searchableQuery, statsQuery } from '../../api/queries.ts'
import { useSearch } from '../../app/router.tsx'
import { CommandLink } from '../../components/CommandLink.tsx'
import { FilterBar, SelectFilter, TextFilter, TimeFilter } from '../../components/lists/Filters.tsx'
import { PagedList } from '../../components/lists/PagedList.tsx'
import { SavedViews } from '../../components/lists/SavedViews.tsx'
import { byTime, type Column } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { StatusBadge, statusLooks } from '../../components/StatusBadge.tsx'
import { Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { WaitsFor } from './waiting/Waiting.tsx'

const names = [
  'status',
  'domain',
  'commandType',
  'errorCode',
  'correlationId',
  'createdAfter',
  'createdBefore',
  'scheduled',
  'retrying',
  'payload',
  'idPrefix',
  'message',
] as const

export const commandColumns: readonly Column<Command>[] = [
  { title: 'Command', cell: command => <CommandLink {...command} dense /> },
  {
    title: 'Status',
    grows: true,
    cell: command => (
      <div className="xl:flex xl:items-baseline xl:gap-2">
        <span className="xl:w-32 xl:shrink-0">
          <StatusBadge status={command.status} />
        </span>
        <WaitsFor command={command} />
        {command.lastErrorCode && (
          <span className="block text-xs text-muted wrap-anywhere xl:truncate">
            {command.lastErrorCode} <span className="hidden xl:inline">{command.lastErrorMsg}</span>
          </span>
        )}
      </div>
    ),
  },
  {
    title: 'Attempts',
    numeric: true,
    from: 'md',
    cell: ({ attempts, maxAttempts }) => `${attempts} of ${maxAttempts}`,
  },
  {
    title: 'Correlation id',
    from: '2xl',
    cell: ({ correlationId }) => (
      <span title={correlationId} className="block max-w-70 truncate font-mono text-xs">
        {correlationId}
      </span>
    ),
  },
  { title: 'Sent', from: 'sm', cell: ({ createdAt }) => <Ago at={createdAt} /> },
  { title: 'Changed', from: 'lg', cell: ({ updatedAt }) => <Ago at={updatedAt} /> },
]

const columns = commandColumns.map(column => (column.title === 'Sent' ? { ...column, sorts: byTime } : column))

export const CommandsPage = () => {
  const { get } = useSearch()
  const given = Object.fromEntries(
    [...names, 'sort', 'cursor'].flatMap(name => (get(name) === undefined ? [] : [[name, get(name)]])),
  )
  // what the server does not know it refuses, and the page says so
  const commands = useQuery(commandsQuery(given))
  const stats = useQuery({ ...statsQuery(), staleTime: 30_000 })
  const searchable = useQuery(searchableQuery())
  const paths = [...new Set(searchable.data?.items.map(({ path }) => `${path}:`))]
  return (
    <Page title="Commands" aside={<SavedViews list="commands" path="/commands" names={[...names, 'sort']} />}>
      <FilterBar names={names} more>
        <SelectFilter
          name="status"
          label="Status"
          options={commandStatuses.map(word => [word, statusLooks[word].label] as const)}
        />
        <SelectFilter
          rare
          name="scheduled"
          label="Time"
          options={[
            ['true', 'Waits for its time'],
            ['false', 'Does not'],
          ]}
        />
        <TextFilter name="domain" label="Domain" list={stats.data?.domains.map(({ domain }) => domain) ?? []} />
        <TextFilter name="commandType" label="Type" />
        <TextFilter name="errorCode" label="Error code" />
        {paths.length > 0 && <TextFilter name="payload" label="Payload, as path:value" list={paths} />}
        <SelectFilter
          rare
          name="retrying"
          label="Retry"
          options={[
            ['true', 'Waits for its next attempt'],
            ['false', 'Does not'],
          ]}
        />
        <TextFilter rare name="correlationId" label="Correlation id" />
        <TimeFilter rare name="createdAfter" label="Sent after" />
        <TimeFilter rare name="createdBefore" label="Sent before" />
      </FilterBar>
      <PagedList
        query={commands}
        names={['command', 'commands']}
        csv="listCommands"
        columns={columns}
        order={get('sort') === 'oldest' ? 'oldest first' : 'newest first'}
        keyOf={c => `${c.domain}/${c.commandId}`}
        dense
        empty={
          <Empty title="No matching commands">
            <p>{names.some(name => get(name)) ? 'Try with fewer filters.' : 'Nothing has been sent yet.'}</p>
          </Empty>
        }
      />
    </Page>
  )
}
