import { type UseQueryResult, useQueries, useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { isUuid } from '../../../../src/domain/uuid.ts'
import type { Command, Parked } from '../../api/client.ts'
import { statusOf } from '../../api/problem.ts'
import { commandQuery, commandsQuery, parkedQuery, searchableQuery, statsQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { Link, useSearch } from '../../app/router.tsx'
import { CommandLink } from '../../components/CommandLink.tsx'
import { type Column, Table } from '../../components/lists/Table.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { Empty, Failed, Loading } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { commandColumns } from '../commands/CommandsPage.tsx'

const MOST = 20
/** Stands for every declared path of payloads. */
const ANY_PATH = '*'

/** An id is unique in its domain, so each domain is asked. */
const useCommandsById = (text: string) => {
  const isId = isUuid(text.toLowerCase())
  const stats = useQuery({ ...statsQuery(), staleTime: 30_000, enabled: isId })
  const found = useQueries({
    queries: (isId ? (stats.data?.domains ?? []) : []).map(({ domain }) => ({
      ...commandQuery(domain, text.toLowerCase()),
      retry: false,
    })),
  })
  return {
    isId,
    loading: isId && (stats.isPending || found.some(({ isPending }) => isPending)),
    error: stats.error,
    items: found.flatMap(({ data }): Command[] => (data === undefined ? [] : [data])),
  }
}

/** The beginning of an id; the whole one is found above. */
const isIdPrefix = (text: string): boolean => /^[0-9a-f]{8}[0-9a-f-]{0,27}$/i.test(text)

const keyOf = (c: { readonly domain: string; readonly commandId: string }): string => `${c.domain}/${c.commandId}`

const parkedColumns: readonly Column<Parked>[] = [
  { title: 'Command', cell: item => <CommandLink {...item} dense /> },
  {
    title: 'Error',
    grows: true,
    cell: item => (
      <>
        <span className="wrap-anywhere xl:mr-2">{item.lastErrorCode}</span>
        <span className="line-clamp-2 text-xs text-muted wrap-anywhere xl:inline">{item.lastErrorMsg}</span>
      </>
    ),
  },
  { title: 'Changed', from: 'sm', cell: item => <Ago at={item.updatedAt} /> },
]

const Aside = ({ href, children }: { readonly href: string; readonly children: ReactNode }) => (
  <Link className="text-xs text-accent hover:underline" href={href}>
    {children}
  </Link>
)

interface FoundProps<Row> {
  readonly title: string
  /** What the rows are, for screen readers. */
  readonly label: string
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  readonly aside?: ReactNode
}

/** A section of results; one without a result is not shown. */
const Found = <Row extends { readonly domain: string; readonly commandId: string }>({
  title,
  label,
  rows,
  columns,
  aside,
}: FoundProps<Row>) =>
  rows.length > 0 && (
    <Section title={title} aside={aside}>
      <Table label={label} dense columns={columns} rows={rows} keyOf={keyOf} />
    </Section>
  )

const rowsOf = <Row,>({ data }: UseQueryResult<{ readonly items: readonly Row[] }>): readonly Row[] => data?.items ?? []

const Results = ({ text }: { readonly text: string }) => {
  const may = usePermissions()
  const byId = useCommandsById(text)
  const searchable = useQuery(searchableQuery())
  const byPrefix = useQuery({
    ...commandsQuery({ idPrefix: text, limit: MOST }),
    enabled: !byId.isId && isIdPrefix(text),
  })
  const byPayload = useQuery({
    ...commandsQuery({ payload: `${ANY_PATH}:${text}`, limit: MOST }),
    enabled: searchable.data !== undefined && searchable.data.items.length > 0,
  })
  const byCorrelation = useQuery(commandsQuery({ correlationId: text, limit: MOST }))
  const byType = useQuery(commandsQuery({ commandType: text, limit: MOST }))
  const byError = useQuery(commandsQuery({ errorCode: text, limit: MOST }))
  const failed = useQuery(commandsQuery({ status: 'FAILED', message: text, limit: MOST }))
  const parked = useQuery(parkedQuery({ q: text, limit: MOST }))
  const paths = [...new Set(searchable.data?.items.map(({ path }) => path))]
  const queries = [searchable, byPrefix, byPayload, byCorrelation, byType, byError, failed, parked]
  const enc = encodeURIComponent(text)
  // what cannot be asked for in this way (a text that is no type, for example) has no result
  const fault = queries.find(({ error }) => error !== null && statusOf(error) !== 400)?.error ?? byId.error
  const isLoading = byId.loading || queries.some(({ isLoading: loads }) => loads)
  const isEmpty =
    byId.items.length === 0 &&
    parked.data?.items.length !== undefined &&
    [byPrefix, byPayload, byCorrelation, byType, byError, failed].every(query => rowsOf(query).length === 0) &&
    rowsOf(parked).length === 0
  return (
    <>
      <Found title="With this id" label="Commands with this id" columns={commandColumns} rows={byId.items} />
      <Found
        title="Whose id begins so"
        label="Commands whose id begins so"
        columns={commandColumns}
        rows={rowsOf(byPrefix)}
      />
      <Found
        title="With this value in the payload"
        label="Commands with this value in the payload"
        columns={commandColumns}
        rows={rowsOf(byPayload)}
        aside={<Aside href={`/commands?payload=${encodeURIComponent(`${ANY_PATH}:${text}`)}`}>All of them</Aside>}
      />
      <Found
        title="With this correlation id"
        label="Commands with this correlation id"
        columns={commandColumns}
        rows={rowsOf(byCorrelation)}
        aside={may('audit') && <Aside href={`/audit?correlationId=${enc}`}>Causal view</Aside>}
      />
      <Found
        title="Of this type"
        label="Commands of this type"
        columns={commandColumns}
        rows={rowsOf(byType)}
        aside={<Aside href={`/commands?commandType=${enc}`}>All of them</Aside>}
      />
      <Found
        title="In troubleshooting"
        label="In troubleshooting"
        columns={parkedColumns}
        rows={rowsOf(parked)}
        aside={<Aside href={`/troubleshooting?view=list&q=${enc}`}>All of them</Aside>}
      />
      <Found
        title="Failed with this message"
        label="Failed commands with this message"
        columns={commandColumns}
        rows={rowsOf(failed)}
        aside={<Aside href={`/commands?status=FAILED&message=${enc}`}>All of them</Aside>}
      />
      <Found
        title="With this error code"
        label="Commands with this error code"
        columns={commandColumns}
        rows={rowsOf(byError)}
      />
      {fault !== null && fault !== undefined && (
        <div className="card">
          <Failed error={fault} />
        </div>
      )}
      {isLoading ? (
        <Loading what="what fits" />
      ) : (
        isEmpty &&
        (fault === null || fault === undefined) && (
          <div className="card">
            <Empty title="Nothing found">
              <p>
                Search by an id or its first 8 characters, a correlation id, a command type, an error code, a part of a
                message, or a value in the payload.
              </p>
              <p>
                Payloads are searched by their declared members:{' '}
                {paths.length > 0 ? paths.join(', ') : 'none yet. Declare one with `commandbus search declare`'}.
              </p>
            </Empty>
          </div>
        )
      )}
    </>
  )
}

export const SearchPage = () => {
  const text = useSearch().get('q')?.trim() ?? ''
  return (
    <Page title={text === '' ? 'Search' : `Search: ${text}`}>
      {text === '' ? (
        <div className="card">
          <Empty title="Type an id, a correlation id, a type or an error above" />
        </div>
      ) : (
        <Results key={text} text={text} />
      )}
    </Page>
  )
}
