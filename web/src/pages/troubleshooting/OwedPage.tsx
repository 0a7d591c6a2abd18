import { useQuery } from '@tanstack/react-query'
import type { OwedReply } from '../../api/client.ts'
import { owedQuery } from '../../api/queries.ts'
import { Link, useSearch } from '../../app/router.tsx'
import { CommandLink } from '../../components/CommandLink.tsx'
import { FilterBar, SelectFilter, TextFilter } from '../../components/lists/Filters.tsx'
import { PagedList } from '../../components/lists/PagedList.tsx'
import type { Column } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { Badge, StatusBadge } from '../../components/StatusBadge.tsx'
import { Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'

const columns: readonly Column<OwedReply>[] = [
  { title: 'Command', cell: reply => <CommandLink {...reply} dense /> },
  { title: 'Status', from: 'sm', cell: ({ status }) => <StatusBadge status={status} /> },
  { title: 'Reply queue', cell: ({ replyTo }) => <span className="font-mono text-xs wrap-anywhere">{replyTo}</span> },
  {
    title: 'Waits since',
    cell: ({ since, late }) => (
      <span className="inline-flex flex-wrap items-center gap-2">
        <Ago at={since} />
        {late && <Badge tone="bad">Late</Badge>}
      </span>
    ),
  },
]

/** Whole hours or minutes in words. */
const spanOf = (seconds: number): string =>
  seconds % 3_600 === 0 ? `${seconds / 3_600} h` : seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`

const names = ['domain', 'queue', 'late'] as const

/** Lists the senders that wait for a reply. */
export const OwedPage = () => {
  const { get } = useSearch()
  const late = get('late')
  const [domain, queue, cursor] = [get('domain'), get('queue'), get('cursor')]
  const owed = useQuery(
    owedQuery({
      ...(domain === undefined ? {} : { domain }),
      ...(queue === undefined ? {} : { queue }),
      ...(late === 'true' || late === 'false' ? { late: late === 'true' } : {}),
      ...(cursor === undefined ? {} : { cursor }),
    }),
  )
  const { total = 0, late: lateOnes = 0, oldest = null, lateAfterSeconds = 0 } = owed.data ?? {}
  return (
    <Page
      title="Owed replies"
      intro="Senders that wait for a reply: their commands have not ended, or wait in troubleshooting. Oldest first."
      aside={
        <Link href="/troubleshooting" className="text-sm text-accent hover:underline">
          To troubleshooting
        </Link>
      }
    >
      <FilterBar names={names}>
        <TextFilter name="domain" label="Domain" />
        <TextFilter name="queue" label="Reply queue" />
        <SelectFilter
          name="late"
          label="Wait"
          options={[
            ['true', 'Too long'],
            ['false', 'Not too long'],
          ]}
        />
      </FilterBar>
      {oldest !== null && (
        <p className="text-sm" role="status">
          {total.toLocaleString()} {total === 1 ? 'reply' : 'replies'} owed, {lateOnes.toLocaleString()} for more than{' '}
          {spanOf(lateAfterSeconds)}; the first command was sent <Ago at={oldest} />.
        </p>
      )}
      <PagedList
        query={owed}
        names={['reply', 'replies']}
        order="oldest first"
        csv="listOwed"
        columns={columns}
        keyOf={({ domain: of, commandId }) => `${of}/${commandId}`}
        empty={<Empty title="No sender waits for a reply" />}
      />
    </Page>
  )
}
