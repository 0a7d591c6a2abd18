import { useQuery } from '@tanstack/react-query'
import { parkedAtQuery } from '../../api/queries.ts'
import { useSearch } from '../../app/router.tsx'
import { CommandLink } from '../../components/CommandLink.tsx'
import { FilterBar, TextFilter, TimeFilter } from '../../components/lists/Filters.tsx'
import { Pager } from '../../components/lists/Pager.tsx'
import { Table } from '../../components/lists/Table.tsx'
import { Answered, Empty } from '../../components/states.tsx'
import { Ago } from '../../components/Time.tsx'
import { dateText } from '../../components/time/clock.ts'

const names = ['at', 'domain', 'commandType', 'errorCode'] as const

/** The commands that were in troubleshooting at a moment, as they were then. */
export const ParkedThenList = () => {
  const { get } = useSearch()
  const query = Object.fromEntries(
    [...names, 'cursor'].flatMap(name => (get(name) === undefined ? [] : [[name, get(name)]])),
  )
  const parked = useQuery(parkedAtQuery(query))
  return (
    <>
      <FilterBar names={names}>
        <TimeFilter name="at" label="At" />
        <TextFilter name="domain" label="Domain" />
        <TextFilter name="commandType" label="Type" />
        <TextFilter name="errorCode" label="Error code" />
      </FilterBar>
      <div className="card overflow-clip">
        <Answered query={parked} what="what was in troubleshooting">
          {({ at, items, nextCursor }) => (
            <>
              {items.length === 0 ? (
                <Empty title={nextCursor === null ? 'Nothing was in troubleshooting then' : 'Nothing on this page'}>
                  {nextCursor !== null && <p>There may be more on older pages.</p>}
                </Empty>
              ) : (
                <Table
                  label="In troubleshooting then"
                  dense
                  loading={parked.isPlaceholderData}
                  rows={items}
                  keyOf={item => `${item.domain}/${item.commandId}`}
                  columns={[
                    { title: 'Command', cell: item => <CommandLink {...item} dense /> },
                    {
                      title: 'Error then',
                      grows: true,
                      cell: ({ lastErrorCode, lastErrorMsg }) => (
                        <>
                          <span className="wrap-anywhere xl:mr-2">{lastErrorCode}</span>
                          <span className="line-clamp-2 text-xs text-muted wrap-anywhere xl:inline">
                            {lastErrorMsg}
                          </span>
                        </>
                      ),
                    },
                    { title: 'Moved there', from: 'sm', cell: ({ parkedAt }) => <Ago at={parkedAt} /> },
                  ]}
                />
              )}
              <Pager nextCursor={nextCursor} summary={`${items.length} on this page, at ${dateText(at)}`} />
            </>
          )}
        </Answered>
      </div>
      <p className="text-xs text-muted">Without a time, this shows the present.</p>
    </>
  )
}
