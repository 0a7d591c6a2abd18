import { useQuery } from '@tanstack/react-query'
import { commandStatuses } from '../../../../src/domain/command/transitions.ts'
import type { Command, CommandStatus } from '../../api/client.ts'
import { commandsQuery, searchableQuery, statsQuery } from '../../api/queries.ts'
import { useSearch } from '../../app/router.tsx'
import { CommandLink } from '../../components/CommandLink.tsx'
import { FilterBar, SelectFilter, TextFilter, TimeFilter } from '../../components/lists/Filters.tsx'
import { PagedList } from '../../components/lists/PagedList.tsx'
import { SavedViews } from '../../components/lists/SavedViews.tsx'
import type { Column } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { StatusBadge, statusLooks } from '../../components/StatusBadge.tsx'
import { Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'

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
  { title: 'Command', cell: command => <CommandLink {...command} /> },
  {
    title: 'Status',
    cell: ({ status, lastErrorCode }) => (
      <>
        <StatusBadge status={status} />
        {lastErrorCode && <span className="block text-xs text-muted wrap-anywhere">{lastErrorCode}</span>}
      </>
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
    from: 'xl',
    cell: ({ correlationId }) => <span className="font-mono text-xs wrap-anywhere">{correlationId}</span>,
  },
  { title: 'Sent', from: 'sm', cell: ({ createdAt }) => <Ago at={createdAt} /> },
  { title: 'Changed', from: 'lg', cell: ({ updatedAt }) => <Ago at={updatedAt} /> },
]

const isStatus = (text: string | undefined): text is CommandStatus => commandStatuses.some(status => status === text)

export const CommandsPage = () => {
  const { get } = useSearch()
  const status = get('status')
  const given = Object.fromEntries(
    [...names, 'cursor'].flatMap(name => (get(name) === undefined ? [] : [[name, get(name)]])),
  )
  const { status: _, scheduled, retrying, ...rest } = given
  const commands = useQuery(
    commandsQuery({
      ...rest,
      ...(isStatus(status) ? { status } : {}),
      ...(scheduled === 'true' || scheduled === 'false' ? { scheduled } : {}),
      ...(retrying === 'true' || retrying === 'false' ? { retrying } : {}),
    }),
  )
  const stats = useQuery({ ...statsQuery(), staleTime: 30_000 })
  const searchable = useQuery(searchableQuery())
  const paths = [...new Set(searchable.data?.items.map(({ path }) => `${path}:`))]
  return (
    <Page title="Commands">
      <SavedViews list="commands" path="/commands" names={names} />
      <FilterBar names={names}>
        <SelectFilter
          name="status"
          label="Status"
          options={commandStatuses.map(word => [word, statusLooks[word].label] as const)}
        />
        <SelectFilter
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
        <TextFilter name="correlationId" label="Correlation id" />
        {paths.length > 0 && <TextFilter name="payload" label="Payload, as path:value" list={paths} />}
        <SelectFilter
          name="retrying"
          label="Retry"
          options={[
            ['true', 'Waits for its next attempt'],
            ['false', 'Does not'],
          ]}
        />
        <TimeFilter name="createdAfter" label="Sent after" />
        <TimeFilter name="createdBefore" label="Sent before" />
      </FilterBar>
      <PagedList
        query={commands}
        names={['command', 'commands']}
        csv="listCommands"
        columns={commandColumns}
        keyOf={c => `${c.domain}/${c.commandId}`}
        empty={
          <Empty title="No matching commands">
            <p>{names.some(name => get(name)) ? 'Try with fewer filters.' : 'Nothing has been sent yet.'}</p>
          </Empty>
        }
      />
    </Page>
  )
}
