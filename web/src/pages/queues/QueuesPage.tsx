import { useQuery } from '@tanstack/react-query'
import type { QueueFigures } from '../../api/client.ts'
import { queuesQuery } from '../../api/watching-queries.ts'
import { useRefresh } from '../../app/LiveProvider.tsx'
import { Link } from '../../app/router.tsx'
import { RangeChoice, useRange } from '../../components/charts/RangeChoice.tsx'
import { numberText } from '../../components/charts/words.ts'
import { type Column, Table } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { duration } from '../../components/Time.tsx'

const REFRESH_MS = 10_000
/** As long as this without a read is worth a word. */
const UNREAD_SECONDS = 600

const changeText = (change: number | null): string =>
  change === null ? '' : change > 0 ? ` (+${numberText(change)})` : change < 0 ? ` (−${numberText(-change)})` : ''

const columnsFor = (range: string): readonly Column<QueueFigures>[] => [
  {
    title: 'Queue',
    cell: ({ queue, kind, domain, unreadSeconds, depth, strangers }) => (
      <>
        <Link
          data-row
          href={`/queues/${encodeURIComponent(queue)}${range === '15m' ? '' : `?range=${range}`}`}
          className="font-mono text-xs text-accent wrap-anywhere hover:underline"
        >
          {queue}
        </Link>
        <span className="text-xs text-muted">
          {' '}
          {kind === 'commands' ? (
            <Link href={`/commands?domain=${encodeURIComponent(domain ?? '')}`} className="underline">
              commands of {domain}
            </Link>
          ) : (
            kind
          )}
        </span>
        {unreadSeconds !== null && unreadSeconds >= UNREAD_SECONDS && (
          <span className="block text-xs text-bad">
            {numberText(depth)} waiting, not read for {duration(unreadSeconds)}
          </span>
        )}
        {strangers > 0 && (
          <Link href="/troubleshooting/strangers" className="block text-xs text-warn underline">
            {numberText(strangers)} of other programs
          </Link>
        )}
      </>
    ),
  },
  { title: 'Ready', numeric: true, cell: ({ ready }) => numberText(ready) },
  { title: 'In flight', numeric: true, from: 'sm', cell: ({ inFlight }) => numberText(inFlight) },
  {
    title: 'Delayed',
    numeric: true,
    from: 'sm',
    cell: ({ delayed, held }) => (
      <>
        {numberText(delayed)}
        {held > 0 && <span className="text-xs text-muted"> · {numberText(held)} held</span>}
      </>
    ),
  },
  {
    title: 'All',
    numeric: true,
    cell: ({ depth, change }) => (
      <>
        {numberText(depth)}
        <span className="text-xs text-muted">{changeText(change)}</span>
      </>
    ),
  },
  { title: 'In a minute', numeric: true, from: 'md', cell: ({ inPerMinute }) => numberText(inPerMinute) },
  { title: 'Out a minute', numeric: true, from: 'md', cell: ({ outPerMinute }) => numberText(outPerMinute) },
  {
    title: 'Oldest',
    numeric: true,
    cell: ({ oldestAgeSeconds: age }) => (age === null ? '–' : duration(age)),
  },
  { title: 'Total sent', numeric: true, from: 'lg', cell: ({ total }) => numberText(total) },
]

/** Queues: what waits on them, how fast it comes and goes, and those that nobody reads. */
export const QueuesPage = () => {
  const range = useRange()
  const queues = useQuery({ ...queuesQuery({ range }), refetchInterval: useRefresh(REFRESH_MS) })
  return (
    <Page title="Queues" aside={<RangeChoice />}>
      <div className="card overflow-hidden">
        <Answered query={queues} what="queues">
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No queues to show">
                <p>A queue is created when its domain is first used. Tokens of one tenant do not show queues.</p>
              </Empty>
            ) : (
              <Table label="Queues" columns={columnsFor(range)} rows={items} keyOf={({ queue }) => queue} />
            )
          }
        </Answered>
      </div>
    </Page>
  )
}
