import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { ListRoute } from '../../api/csv.ts'
import { PAGE_SIZE } from '../../api/queries.ts'
import { Answered } from '../states.tsx'
import { DownloadCsv } from './DownloadCsv.tsx'
import { Pager } from './Pager.tsx'
import { type Column, Table } from './Table.tsx'

interface PagedListProps<Row> {
  readonly query: UseQueryResult<{ readonly items: readonly Row[]; readonly nextCursor: string | null }>
  /** One of them, and many: `command`, `commands`. */
  readonly names: readonly [one: string, many: string]
  readonly columns: readonly Column<Row>[]
  readonly keyOf: (row: Row) => string
  /** In which order it is. Default: newest first. */
  readonly order?: string
  /** The route that gives it as CSV. */
  readonly csv?: ListRoute
  /** Shown above the list. */
  readonly filters?: ReactNode
  /** Shown when there are no rows. */
  readonly empty: ReactNode
  /** From 1280 px, each row is one line. */
  readonly dense?: boolean
}

/** A list with its filters and pages. */
export const PagedList = <Row,>({
  query,
  names: [one, many],
  order = 'newest first',
  csv,
  columns,
  keyOf,
  filters,
  empty,
  dense = false,
}: PagedListProps<Row>) => (
  <div className="card overflow-clip">
    {filters}
    <Answered query={query} what={many}>
      {({ items, nextCursor }) => (
        <>
          {items.length === 0 ? (
            empty
          ) : (
            <Table
              label={many.charAt(0).toUpperCase() + many.slice(1)}
              columns={columns}
              rows={items}
              keyOf={keyOf}
              dense={dense}
              loading={query.isPlaceholderData}
            />
          )}
          <Pager
            nextCursor={nextCursor}
            download={csv !== undefined && <DownloadCsv list={csv} name={many} />}
            summary={`${items.length} ${items.length === 1 ? one : many}, ${order}${items.length < PAGE_SIZE ? '' : `, ${PAGE_SIZE} per page`}`}
          />
        </>
      )}
    </Answered>
  </div>
)
