import { useQuery } from '@tanstack/react-query'
import type { TypeFigures } from '../../api/client.ts'
import { causesQuery, typesQuery } from '../../api/watching-queries.ts'
import { useRefresh } from '../../app/LiveProvider.tsx'
import { Link } from '../../app/router.tsx'
import { BarChart } from '../../components/charts/BarChart.tsx'
import { RangeChoice, spans, useRange } from '../../components/charts/RangeChoice.tsx'
import { numberText, outcomeSeries, percentText, sentLine, spreadText } from '../../components/charts/words.ts'
import { Facts } from '../../components/Facts.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { Answered } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { CauseTable } from '../overview/CauseTable.tsx'
import { NotCounted } from './NotCounted.tsx'

const REFRESH_MS = 10_000

interface TypePageProps {
  readonly domain: string
  readonly commandType: string
}

/** One type of commands: its course, its figures, and why it fails. */
export const TypePage = ({ domain, commandType }: TypePageProps) => {
  const range = useRange()
  const refetchInterval = useRefresh(REFRESH_MS)
  const types = useQuery({ ...typesQuery({ range, domain, commandType }), refetchInterval })
  const causes = useQuery({ ...causesQuery(), refetchInterval })
  const commands = (more: Readonly<Record<string, string>>): string =>
    `/commands?${new URLSearchParams({ domain, commandType, ...more })}`
  return (
    <Page
      title={commandType}
      intro={
        <>
          Type of domain {domain} ·{' '}
          <Link href={commands({})} className="text-accent underline">
            its commands
          </Link>
        </>
      }
      aside={<RangeChoice />}
    >
      <Answered query={types} what="figures">
        {({ items, series, bucketSeconds, behindSeconds }) => (
          <>
            <NotCounted behindSeconds={behindSeconds} />
            <div className="grid gap-4 xl:grid-cols-[3fr_2fr]">
              <Section title="Throughput">
                <BarChart
                  bars={series}
                  bucketSeconds={bucketSeconds}
                  stacked={outcomeSeries}
                  line={sentLine}
                  span={spans[range]}
                  hrefOf={(createdAfter, createdBefore) => commands({ createdAfter, createdBefore })}
                />
              </Section>
              <Section title={spans[range]}>
                {items[0] === undefined ? (
                  <p className="p-4 text-sm text-muted">No commands</p>
                ) : (
                  <Figures of={items[0]} />
                )}
              </Section>
            </div>
          </>
        )}
      </Answered>
      <Section title="Causes of failures">
        <Answered query={causes} what="causes">
          {({ items }) => (
            <CauseTable causes={items.filter(cause => cause.domain === domain && cause.commandType === commandType)} />
          )}
        </Answered>
      </Section>
    </Page>
  )
}

const Figures = ({ of }: { readonly of: TypeFigures }) => (
  <Facts
    facts={[
      ['Sent', `${numberText(of.sent)}, ${numberText(of.sentPerMinute)} a minute`],
      ['Attempts', numberText(of.attempts)],
      [
        'Failed attempts',
        `${numberText(of.failedAttempts)} to be repeated, ${percentText(of.failureShare)} of all that ended failed`,
      ],
      ['Wait, p50 / p95', spreadText(of.wait)],
      ['Run, p50 / p95', spreadText(of.run)],
      ['Errors', of.errors.map(({ code, count }) => `${code || 'no code'} ${numberText(count)}`).join(', ') || '–'],
      ['Last success', <Ago key="at" at={of.lastSuccessAt} />],
      [
        'Waiting now',
        <>
          {numberText(of.waiting)}
          {of.waitingSince !== null && (
            <>
              {' '}
              since <Ago at={of.waitingSince} />
            </>
          )}
        </>,
      ],
      ['Running now', numberText(of.running)],
      ['Due later', numberText(of.scheduled)],
    ]}
  />
)
