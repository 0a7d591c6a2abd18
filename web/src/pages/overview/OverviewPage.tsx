import { useQuery } from '@tanstack/react-query'
import type { Answer, Stats } from '../../api/client.ts'
import { statsQuery } from '../../api/queries.ts'
import { causesQuery, typesQuery } from '../../api/watching-queries.ts'
import { useRefresh } from '../../app/LiveProvider.tsx'
import { Link } from '../../app/router.tsx'
import { BarChart } from '../../components/charts/BarChart.tsx'
import { RangeChoice, spans, useRange } from '../../components/charts/RangeChoice.tsx'
import { outcomeSeries, sentLine } from '../../components/charts/words.ts'
import { Table } from '../../components/lists/Table.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { statusLooks } from '../../components/StatusBadge.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { duration } from '../../components/Time.tsx'
import { NotCounted } from '../types/NotCounted.tsx'
import { CauseTable } from './CauseTable.tsx'
import { HealthPanel } from './HealthPanel.tsx'
import { PauseButton, Pauses } from './Pauses.tsx'
import { StatusLine } from './StatusLine.tsx'

const REFRESH_MS = 10_000
const number = new Intl.NumberFormat()

const tiles = ['PENDING', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELED', 'IN_TROUBLESHOOTING_QUEUE'] as const

type Hour = Pick<Answer<'listTypes'>['series'][number], 'sent' | 'completed' | 'failed' | 'canceled' | 'parked'>

/** What came to each status within the hour. */
const cameOf = (hour: Hour): Partial<Record<(typeof tiles)[number], number>> => ({
  PENDING: hour.sent,
  COMPLETED: hour.completed,
  FAILED: hour.failed,
  CANCELED: hour.canceled,
  IN_TROUBLESHOOTING_QUEUE: hour.parked,
})

const sumOf = (series: readonly Hour[]): Hour => {
  const sum = (name: keyof Hour): number => series.reduce((all, bucket) => all + bucket[name], 0)
  return {
    sent: sum('sent'),
    completed: sum('completed'),
    failed: sum('failed'),
    canceled: sum('canceled'),
    parked: sum('parked'),
  }
}

/** Null: not known. */
const useLastHour = (): Hour | null => {
  const { data } = useQuery({ ...typesQuery({ range: '1h' }), refetchInterval: useRefresh(REFRESH_MS) })
  return data === undefined || data.behindSeconds === null ? null : sumOf(data.series)
}

const Counts = ({ total, hour }: { readonly total: Stats['total']; readonly hour: Hour | null }) => (
  <ul aria-label="Commands by status" className="grid grid-cols-2 gap-2 sm:grid-cols-3 xl:grid-cols-6">
    {tiles.map(status => {
      const parked = status === 'IN_TROUBLESHOOTING_QUEUE'
      const came = (hour === null ? {} : cameOf(hour))[status] ?? 0
      return (
        <li key={status}>
          <Link
            href={parked ? '/troubleshooting' : `/commands?status=${status}`}
            className={`card block px-4 py-3 hover:border-accent ${parked && total[status] > 0 ? 'border-warn' : ''}`}
          >
            <span className="block text-2xl font-semibold tabular-nums">{number.format(total[status])}</span>
            <span className="flex flex-wrap justify-between gap-x-2 text-xs text-muted">
              {statusLooks[status].label}
              {came > 0 && (
                <span className="tabular-nums" title="within the last hour">
                  +{number.format(came)} in 1 h
                </span>
              )}
            </span>
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

const Causes = () => {
  const causes = useQuery({ ...causesQuery(), refetchInterval: useRefresh(REFRESH_MS) })
  return (
    <Section title="Causes of failures">
      <Answered query={causes} what="causes">
        {({ items, total }) => <CauseTable causes={items} total={total} />}
      </Answered>
    </Section>
  )
}

const sentBetween = (createdAfter: string, createdBefore: string): string =>
  `/commands?${new URLSearchParams({ createdAfter, createdBefore })}`

/** The last 15 minutes are up to date to the event, and those of one tenant too; what is longer is counted. */
const Throughput = ({ minutes }: { readonly minutes: Stats['throughput'] }) => {
  const range = useRange()
  const types = useQuery({
    ...typesQuery({ range }),
    enabled: range !== '15m',
    refetchInterval: useRefresh(REFRESH_MS),
  })
  const chart = { stacked: outcomeSeries, line: sentLine, span: spans[range], hrefOf: sentBetween }
  return range === '15m' ? (
    <BarChart
      {...chart}
      bucketSeconds={60}
      bars={minutes.map(({ minute, ...counts }) => ({ at: minute, ...counts }))}
    />
  ) : (
    <Answered query={types} what="figures">
      {({ series, bucketSeconds, behindSeconds }) => (
        <>
          <NotCounted behindSeconds={behindSeconds} />
          <BarChart {...chart} bucketSeconds={bucketSeconds} bars={series} />
        </>
      )}
    </Answered>
  )
}

export const OverviewPage = () => {
  const stats = useQuery({ ...statsQuery(), refetchInterval: useRefresh(REFRESH_MS) })
  const hour = useLastHour()
  return (
    <Page title="Overview" aside={<PauseButton />}>
      <StatusLine />
      <Pauses />
      <Answered query={stats} what="figures">
        {({ total, throughput, domains, queues, feed }) => (
          <>
            <Counts total={total} hour={hour} />
            <div className="grid gap-4 xl:grid-cols-[3fr_2fr]">
              <Section title="Throughput" aside={<RangeChoice />}>
                <Throughput minutes={throughput} />
                <p className="px-4 pb-3 text-xs text-muted">
                  Oldest pending: <Oldest domains={domains} />
                </p>
              </Section>
              <HealthPanel feed={feed} />
            </div>
            <Causes />
            <Section
              title="Queues"
              aside={
                <Link href="/queues" className="text-xs text-accent underline">
                  All figures
                </Link>
              }
            >
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
          </>
        )}
      </Answered>
    </Page>
  )
}
