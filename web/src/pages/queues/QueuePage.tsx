import { useQuery } from '@tanstack/react-query'
import { queuesQuery } from '../../api/watching-queries.ts'
import { useRefresh } from '../../app/LiveProvider.tsx'
import { Link } from '../../app/router.tsx'
import { BarChart } from '../../components/charts/BarChart.tsx'
import { RangeChoice, spans, useRange } from '../../components/charts/RangeChoice.tsx'
import { numberText } from '../../components/charts/words.ts'
import { Facts } from '../../components/Facts.tsx'
import { NotFound } from '../../components/NotFound.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { Answered } from '../../components/states.tsx'
import { duration } from '../../components/Time.tsx'

const REFRESH_MS = 10_000

const age = (seconds: number | null): string => (seconds === null ? '–' : duration(seconds))

const flow = [{ name: 'went', label: 'Taken off', fill: 'fill-chart-ok', swatch: 'bg-chart-ok' }] as const
const came = { name: 'came', label: 'Put on' } as const
const waiting = [{ name: 'depth', label: 'Waiting', fill: 'fill-chart-warn', swatch: 'bg-chart-warn' }] as const

/** One queue: what waits on it, and its course. */
export const QueuePage = ({ queue }: { readonly queue: string }) => {
  const range = useRange()
  const queues = useQuery({ ...queuesQuery({ range, queue }), refetchInterval: useRefresh(REFRESH_MS) })
  return (
    <Page title={queue} aside={<RangeChoice />}>
      <Answered query={queues} what="queue">
        {({ items: [found], series, bucketSeconds }) =>
          found === undefined ? (
            <NotFound title="No such queue" why={`There is no queue ${queue}`} href="/queues" instead="All queues" />
          ) : (
            <div className="grid gap-4 xl:grid-cols-[3fr_2fr]">
              <div className="grid gap-4">
                <Section title="Messages that wait">
                  <BarChart
                    bars={series.map(({ at, depth, came }) => ({ at, depth: depth ?? 0, came }))}
                    bucketSeconds={bucketSeconds}
                    stacked={waiting}
                    line={came}
                    span={spans[range]}
                    level="depth"
                  />
                </Section>
                <Section title="Put on and taken off">
                  <BarChart
                    bars={series}
                    bucketSeconds={bucketSeconds}
                    stacked={flow}
                    line={came}
                    span={spans[range]}
                  />
                </Section>
              </div>
              <Section title="Now">
                <Facts
                  facts={[
                    [
                      'For',
                      found.domain === null ? (
                        found.kind
                      ) : (
                        <Link
                          key="domain"
                          href={`/commands?domain=${encodeURIComponent(found.domain)}`}
                          className="text-accent underline"
                        >
                          commands of {found.domain}
                        </Link>
                      ),
                    ],
                    ['Ready', numberText(found.ready)],
                    ['In flight', numberText(found.inFlight)],
                    [
                      'Delayed',
                      `${numberText(found.delayed)}, of which ${numberText(found.held)} held by a lane or pause`,
                    ],
                    ['In a minute', numberText(found.inPerMinute)],
                    ['Out a minute', numberText(found.outPerMinute)],
                    ['Oldest', age(found.oldestAgeSeconds)],
                    ['Not read for', age(found.unreadSeconds)],
                    ['Total sent', numberText(found.total)],
                  ]}
                />
              </Section>
            </div>
          )
        }
      </Answered>
    </Page>
  )
}
