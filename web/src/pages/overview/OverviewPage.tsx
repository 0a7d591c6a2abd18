import { useQuery } from '@tanstack/react-query'
import type { Stats } from '../../api/client.ts'
import { groupsQuery, statsQuery } from '../../api/queries.ts'
import { useRefresh } from '../../app/LiveProvider.tsx'
import { Link } from '../../app/router.tsx'
import { Table } from '../../components/lists/Table.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { statusLooks } from '../../components/StatusBadge.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { Ago, duration } from '../../components/Time.tsx'
import { MissingWorkers } from '../workers/MissingWorkers.tsx'
import { HealthPanel } from './HealthPanel.tsx'
import { PauseButton, Pauses } from './Pauses.tsx'
import { Throughput } from './Throughput.tsx'

const REFRESH_MS = 10_000
const number = new Intl.NumberFormat()

const tiles = ['PENDING', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELED', 'IN_TROUBLESHOOTING_QUEUE'] as const

const Counts = ({ total }: { readonly total: Stats['total'] }) => (
  <ul aria-label="Commands by status" className="grid grid-cols-2 gap-2 sm:grid-cols-3 xl:grid-cols-6">
    {tiles.map(status => {
      const parked = status === 'IN_TROUBLESHOOTING_QUEUE'
      return (
        <li key={status}>
          <Link
            href={parked ? '/troubleshooting' : `/commands?status=${status}`}
            className={`card block px-4 py-3 hover:border-accent ${parked && total[status] > 0 ? 'border-warn' : ''}`}
          >
            <span className="block text-2xl font-semibold tabular-nums">{number.format(total[status])}</span>
            <span className="text-xs text-muted">{statusLooks[status].label}</span>
          </Link>
        </li>
      )
    })}
  </ul>
)

const Oldest = ({ domains }: { readonly domains: Stats['domains'] }) => {
  const waiting = domains.flatMap(({ domain, oldestPending }) => (oldestPending ? [{ domain, ...oldestPending }] : []))
  const oldest = waiting.sort((a, b) => b.ageSeconds - a.ageSeconds)[0]
  if (oldest === undefined) return <>Nothing is waiting</>
  return (
    <>
      {duration(oldest.ageSeconds)}{' '}
      <Link
        className="text-accent underline"
        href={`/commands?status=PENDING&domain=${encodeURIComponent(oldest.domain)}`}
      >
        in {oldest.domain}
      </Link>
    </>
  )
}

const ParkedByError = () => {
  const groups = useQuery(groupsQuery({}))
  return (
    <Section title="In troubleshooting, by error">
      <Answered query={groups} what="errors">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nothing is in troubleshooting" />
          ) : (
            <Table
              label="Errors in troubleshooting"
              rows={items.slice(0, 8)}
              keyOf={({ key }) => key}
              columns={[
                {
                  title: 'Error',
                  cell: ({ domain, commandType, errorCode, sample }) => (
                    <>
                      <Link
                        href={`/troubleshooting?view=list&domain=${encodeURIComponent(domain)}&commandType=${encodeURIComponent(commandType)}&errorCode=${encodeURIComponent(errorCode)}`}
                        className="font-medium text-accent wrap-anywhere hover:underline"
                      >
                        {errorCode || 'No error code'}
                      </Link>
                      <span className="block text-xs text-muted wrap-anywhere">
                        {domain} · {commandType}
                      </span>
                      {sample && <span className="line-clamp-1 text-xs text-muted wrap-anywhere">{sample}</span>}
                    </>
                  ),
                },
                { title: 'Last', from: 'sm', cell: ({ last }) => <Ago at={last} /> },
                { title: 'Commands', numeric: true, cell: ({ count }) => number.format(count) },
              ]}
            />
          )
        }
      </Answered>
    </Section>
  )
}

export const OverviewPage = () => {
  const stats = useQuery({ ...statsQuery(), refetchInterval: useRefresh(REFRESH_MS) })
  return (
    <Page title="Overview" aside={<PauseButton />}>
      <MissingWorkers />
      <Pauses />
      <Answered query={stats} what="figures">
        {({ total, throughput, domains, queues, feed }) => (
          <>
            <Counts total={total} />
            <div className="grid items-start gap-4 xl:grid-cols-[3fr_2fr]">
              <Section
                title="Throughput"
                aside={
                  <span className="text-xs text-muted">
                    Oldest pending: <Oldest domains={domains} />
                  </span>
                }
              >
                <Throughput minutes={throughput} />
              </Section>
              <ParkedByError />
            </div>
            <div className="grid gap-4 xl:grid-cols-[3fr_2fr]">
              <Section title="Queues">
                {queues.length === 0 ? (
                  <Empty title="No queues to show">
                    <p>A queue is created when its domain is first used. Tokens of one tenant do not show queues.</p>
                  </Empty>
                ) : (
                  <Table
                    label="Queues"
                    rows={queues}
                    keyOf={({ queue }) => queue}
                    columns={[
                      { title: 'Queue', cell: ({ queue }) => <span className="font-mono text-xs">{queue}</span> },
                      { title: 'Waiting', numeric: true, cell: ({ depth }) => number.format(depth) },
                      { title: 'Ready', numeric: true, from: 'sm', cell: ({ visible }) => number.format(visible) },
                      {
                        title: 'Oldest',
                        numeric: true,
                        cell: ({ oldestAgeSeconds: age }) => (age === null ? '–' : duration(age)),
                      },
                      { title: 'Total sent', numeric: true, from: 'md', cell: ({ total }) => number.format(total) },
                    ]}
                  />
                )}
              </Section>
              <HealthPanel feed={feed} />
            </div>
          </>
        )}
      </Answered>
    </Page>
  )
}
