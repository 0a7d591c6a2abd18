import { useQuery } from '@tanstack/react-query'
import type { SentAlert } from '../../api/client.ts'
import { sentAlertsQuery } from '../../api/queries.ts'
import { useSearch } from '../../app/router.tsx'
import { PagedList } from '../../components/lists/PagedList.tsx'
import type { Column } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { Badge, type Tone } from '../../components/StatusBadge.tsx'
import { Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'

const looks: Readonly<Record<SentAlert['status'], readonly [label: string, tone: Tone]>> = {
  PENDING: ['Waiting', 'warn'],
  SENT: ['Sent', 'ok'],
  FAILED: ['Not accepted', 'bad'],
  GIVEN_UP: ['Given up', 'bad'],
}

const columns: readonly Column<SentAlert>[] = [
  {
    title: 'Text',
    cell: ({ text, test }) => (
      <span className="whitespace-pre-wrap wrap-anywhere">
        {test && <Badge tone="idle">Test</Badge>} {text}
      </span>
    ),
  },
  {
    title: 'State',
    cell: ({ status, lastError, nextAttemptAt }) => (
      <>
        <Badge tone={looks[status][1]}>{looks[status][0]}</Badge>
        {lastError !== null && <span className="block text-xs text-muted wrap-anywhere">{lastError}</span>}
        {nextAttemptAt !== null && (
          <span className="block text-xs text-muted">
            next try <Ago at={nextAttemptAt} />
          </span>
        )}
      </>
    ),
  },
  { title: 'Attempts', numeric: true, from: 'md', cell: ({ attempts }) => String(attempts) },
  { title: 'Made', from: 'sm', cell: ({ createdAt }) => <Ago at={createdAt} /> },
]

/** What an alert has sent, has still to send, and has given up. */
export const SentPage = ({ name }: { readonly name: string }) => {
  const cursor = useSearch().get('cursor')
  const sent = useQuery(sentAlertsQuery(name, cursor === undefined ? {} : { cursor }))
  return (
    <Page title={`Alert ${name}`} intro="What was sent within 30 days, what waits, and what was given up.">
      <PagedList
        query={sent}
        names={['webhook', 'webhooks']}
        columns={columns}
        keyOf={({ id }) => id}
        empty={<Empty title="Nothing was sent yet" />}
      />
    </Page>
  )
}
