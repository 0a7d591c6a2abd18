import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { PAGE_SIZE } from '../../api/queries.ts'
import { Answered } from '../states.tsx'
import { Pager } from './Pager.tsx'
import { type Column, Table } from './Table.tsx'

interface PagedListProps<Row> {
  readonly query: UseQueryResult<{ readonly items: readonly Row[]; readonly nextCursor: string | null }>
  /** One of them, and many: `command`, `commands`. */
  readonly names: readonly [one: string, many: string]
  readonly columns: readonly Column<Row>[]
  readonly keyOf: (row: Row) => string
  /** What stands above the list. */
  readonly filters?: ReactNode
  /** What is shown in the place of no rows. */
  readonly empty: ReactNode
}

/** A list of which the newest are shown, with its filters and the way to the older ones. */
export const PagedList = <Row,>({ query, names: [one, many], columns, keyOf, filters, empty }: PagedListProps<Row>) => (
  <div className="card overflow-hidden">
    {filters}
    <Answered query={query} what={many}>
      {({ items, nextCursor }) => (
        <>
          {items.length === 0 ? (
            empty
          ) : (
            <Table label={many.charAt(0).toUpperCase() + many.slice(1)} columns={columns} rows={items} keyOf={keyOf} />
          )}
          <Pager
            nextCursor={nextCursor}
            summary={`${items.length} ${items.length === 1 ? one : many}, newest first${items.length < PAGE_SIZE ? '' : `, ${PAGE_SIZE} a page`}`}
          />
        </>
      )}
    </Answered>
  </div>
)
