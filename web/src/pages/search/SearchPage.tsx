import { useQueries, useQuery } from '@tanstack/react-query'
import { isUuid } from '../../../../src/domain/uuid.ts'
import type { Command } from '../../api/client.ts'
import { commandQuery, commandsQuery, parkedQuery, statsQuery } from '../../api/queries.ts'
import { usePermissions } from '../../api/session.ts'
import { Link, useSearch } from '../../app/router.tsx'
import { CommandLink } from '../../components/CommandLink.tsx'
import { Table } from '../../components/lists/Table.tsx'
import { Page, Section } from '../../components/Page.tsx'
import { Answered, Empty, Failed, Loading } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { commandColumns } from '../commands/CommandsPage.tsx'

const MOST = 20

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

/** One line, so that places without a result take little room. */
const Nothing = ({ text }: { readonly text: string }) => <p className="px-4 py-3 text-sm text-muted">{text}</p>

const Results = ({ text }: { readonly text: string }) => {
  const may = usePermissions()
  const byId = useCommandsById(text)
  const byCorrelation = useQuery(commandsQuery({ correlationId: text, limit: MOST }))
  const byError = useQuery(commandsQuery({ errorCode: text, limit: MOST }))
  const parked = useQuery(parkedQuery({ q: text, limit: MOST }))
  const keyOf = (c: Command): string => `${c.domain}/${c.commandId}`
  const enc = encodeURIComponent(text)
  return (
    <>
      {byId.isId && (
        <Section title="With this id">
          {byId.error !== null && byId.items.length === 0 ? (
            <Failed error={byId.error} />
          ) : byId.loading ? (
            <Loading what="commands" />
          ) : byId.items.length === 0 ? (
            <Nothing text="No command has this id" />
          ) : (
            <Table label="Commands with this id" dense columns={commandColumns} rows={byId.items} keyOf={keyOf} />
          )}
        </Section>
      )}
      <Section
        title="With this correlation id"
        aside={
          may('audit') && (
            <Link className="text-xs text-accent hover:underline" href={`/audit?correlationId=${enc}`}>
              Causal view
            </Link>
          )
        }
      >
        <Answered query={byCorrelation} what="commands">
          {({ items }) =>
            items.length === 0 ? (
              <Nothing text="No command has this correlation id" />
            ) : (
              <Table
                label="Commands with this correlation id"
                dense
                columns={commandColumns}
                rows={items}
                keyOf={keyOf}
              />
            )
          }
        </Answered>
      </Section>
      <Section
        title="In troubleshooting"
        aside={
          <Link className="text-xs text-accent hover:underline" href={`/troubleshooting?view=list&q=${enc}`}>
            All of them
          </Link>
        }
      >
        <Answered query={parked} what="what is in troubleshooting">
          {({ items }) =>
            items.length === 0 ? (
              <Nothing text="Nothing in troubleshooting mentions it" />
            ) : (
              <Table
                label="In troubleshooting"
                dense
                rows={items}
                keyOf={item => `${item.domain}/${item.commandId}`}
                columns={[
                  { title: 'Command', cell: item => <CommandLink {...item} dense /> },
                  {
                    title: 'Error',
                    grows: true,
                    cell: item => (
                      <>
                        <span className="wrap-anywhere xl:mr-2">{item.lastErrorCode}</span>
                        <span className="line-clamp-2 text-xs text-muted wrap-anywhere xl:inline">
                          {item.lastErrorMsg}
                        </span>
                      </>
                    ),
                  },
                  { title: 'Changed', from: 'sm', cell: item => <Ago at={item.updatedAt} /> },
                ]}
              />
            )
          }
        </Answered>
      </Section>
      <Section title="With this error code">
        <Answered query={byError} what="commands">
          {({ items }) =>
            items.length === 0 ? (
              <Nothing text="No command has this error code" />
            ) : (
              <Table label="Commands with this error code" dense columns={commandColumns} rows={items} keyOf={keyOf} />
            )
          }
        </Answered>
      </Section>
    </>
  )
}

export const SearchPage = () => {
  const text = useSearch().get('q')?.trim() ?? ''
  return (
    <Page title={text === '' ? 'Search' : `Search: ${text}`}>
      {text === '' ? (
        <div className="card">
          <Empty title="Type an id, a correlation id or an error code above" />
        </div>
      ) : (
        <Results key={text} text={text} />
      )}
    </Page>
  )
}
