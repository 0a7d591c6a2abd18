import { useQuery } from '@tanstack/react-query'
import type { TypeFigures } from '../../api/client.ts'
import { typesQuery } from '../../api/watching-queries.ts'
import { useRefresh } from '../../app/LiveProvider.tsx'
import { Link, useSearch } from '../../app/router.tsx'
import { RangeChoice, useRange } from '../../components/charts/RangeChoice.tsx'
import { numberText, percentText, spreadText } from '../../components/charts/words.ts'
import { TextFilter } from '../../components/lists/Filters.tsx'
import { type Column, Table } from '../../components/lists/Table.tsx'
import { Page } from '../../components/Page.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { NotCounted } from './NotCounted.tsx'

const REFRESH_MS = 10_000

export const typePath = (domain: string, commandType: string, range: string): string =>
  `/types/${encodeURIComponent(domain)}/${encodeURIComponent(commandType)}${range === '15m' ? '' : `?range=${range}`}`

const columnsFor = (range: string): readonly Column<TypeFigures>[] => [
  {
    title: 'Type',
    cell: ({ domain, commandType }) => (
      <>
        <Link
          data-row
          href={typePath(domain, commandType, range)}
          className="font-medium text-accent wrap-anywhere hover:underline"
        >
          {commandType}
        </Link>
        <span className="text-xs text-muted wrap-anywhere"> {domain}</span>
      </>
    ),
  },
  { title: 'Sent', numeric: true, cell: ({ sent }) => numberText(sent) },
  { title: 'A minute', numeric: true, from: 'lg', cell: ({ sentPerMinute }) => numberText(sentPerMinute) },
  {
    title: 'Failures',
    numeric: true,
    cell: ({ failureShare }) => (
      <span className={failureShare !== null && failureShare > 0 ? 'text-bad' : ''}>{percentText(failureShare)}</span>
    ),
  },
  { title: 'Attempts', numeric: true, from: 'md', cell: ({ attempts }) => numberText(attempts) },
  { title: 'Wait p50 / p95', numeric: true, from: 'md', cell: ({ wait }) => spreadText(wait) },
  { title: 'Run p50 / p95', numeric: true, from: 'sm', cell: ({ run }) => spreadText(run) },
  {
    title: 'Errors',
    from: 'lg',
    cell: ({ errors }) => (
      <span className="text-xs wrap-anywhere">
        {errors
          .slice(0, 2)
          .map(({ code, count }, i) => `${i === 0 ? '' : ', '}${code || 'no code'} ${numberText(count)}`)}
        {errors.length > 2 && ` and ${errors.length - 2} more`}
      </span>
    ),
  },
  { title: 'Last success', from: 'md', cell: ({ lastSuccessAt }) => <Ago at={lastSuccessAt} /> },
  {
    title: 'Waiting',
    numeric: true,
    cell: ({ waiting, waitingSince }) =>
      waiting === 0 ? (
        '–'
      ) : (
        <>
          {numberText(waiting)}
          {waitingSince !== null && (
            <span className="text-xs text-muted">
              {' '}
              · <Ago at={waitingSince} />
            </span>
          )}
        </>
      ),
  },
  { title: 'Running', numeric: true, from: 'lg', cell: ({ running }) => (running === 0 ? '–' : numberText(running)) },
]

/** Types of commands: how often they are sent, how they end, how long they wait and run. */
export const TypesPage = () => {
  const domain = useSearch().get('domain')
  const range = useRange()
  const types = useQuery({
    ...typesQuery({ range, ...(domain === undefined ? {} : { domain }) }),
    refetchInterval: useRefresh(REFRESH_MS),
  })
  return (
    <Page title="Types" aside={<RangeChoice />}>
      <div className="card overflow-hidden">
        <div className="max-w-60 p-3">
          <TextFilter name="domain" label="Domain" />
        </div>
        <Answered query={types} what="types">
          {({ items, total, behindSeconds }) => (
            <>
              <NotCounted behindSeconds={behindSeconds} />
              {items.length === 0 ? (
                <Empty title="No commands in this range">
                  <p>Tokens of one tenant do not show figures by type.</p>
                </Empty>
              ) : (
                <Table
                  label="Types"
                  columns={columnsFor(range)}
                  rows={items}
                  keyOf={({ domain, commandType }) => `${domain}/${commandType}`}
                />
              )}
              {total > items.length && (
                <p className="px-4 py-2 text-xs text-muted">
                  The {numberText(items.length)} busiest of {numberText(total)} types
                </p>
              )}
            </>
          )}
        </Answered>
      </div>
    </Page>
  )
}
