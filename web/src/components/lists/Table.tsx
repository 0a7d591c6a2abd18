import { ChevronDown, ChevronsUpDown, ChevronUp } from 'lucide-react'
import type { ReactNode } from 'react'
import { useSearch } from '../../app/router.tsx'
import { Scrollable } from './Scrollable.tsx'
import { type Steady, useSteadyRows } from './useSteadyRows.ts'

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => ReactNode
  /** Numbers are aligned right. */
  readonly numeric?: boolean
  /** Left out where the window is narrower: `sm` 640, `md` 768, `lg` 1024, `xl` 1280, `2xl` 1536 px. */
  readonly from?: 'sm' | 'md' | 'lg' | 'xl' | '2xl'
  /** In dense lists, it takes the width that the others leave; what does not fit is cut. */
  readonly grows?: boolean
  /** The title is read out, not shown. */
  readonly quiet?: boolean
  /** The orders of the list that a click on the title goes through. */
  readonly sorts?: readonly Sort[]
}

/** An order as the address names it; `newest` is the usual one. */
export type Sort = readonly [name: string, direction: 'ascending' | 'descending']

export const byTime: readonly Sort[] = [
  ['newest', 'descending'],
  ['oldest', 'ascending'],
]

const shownFrom = {
  sm: 'hidden sm:table-cell',
  md: 'hidden md:table-cell',
  lg: 'hidden lg:table-cell',
  xl: 'hidden xl:table-cell',
  '2xl': 'hidden 2xl:table-cell',
} as const

interface RowsProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly keyOf: (row: Row) => string
  /** From 1280 px, each row is one line. */
  readonly dense?: boolean
}

interface TableProps<Row> extends RowsProps<Row> {
  readonly rows: readonly Row[]
  /** The rows are still those of another page or filter. */
  readonly loading?: boolean
}

/** Names what is listed: the address decides. */
export const useListName = (loading = false): string => `${useSearch().text}${loading ? ' loading' : ''}`

/** Rows that hold still while the pointer or the focus is among them. */
export const Table = <Row,>({ rows, loading, ...props }: TableProps<Row>) => (
  <SteadyTable {...props} steady={useSteadyRows(rows, props.keyOf, useListName(loading))} />
)

/** The title, as a button where the list can be sorted by the column. */
const Head = <Row,>({ column, className }: { readonly column: Column<Row>; readonly className: string }) => {
  const { get, set } = useSearch()
  const { title, quiet, sorts = [] } = column
  const given = get('sort') ?? 'newest'
  const at = sorts.findIndex(([name]) => name === given)
  const direction = sorts[at]?.[1]
  const next = sorts[at + 1]?.[0] ?? 'newest'
  const Arrow = direction === 'ascending' ? ChevronUp : ChevronDown
  return (
    <th scope="col" className={className} aria-sort={direction}>
      {quiet && <span className="sr-only">{title}</span>}
      {!quiet && sorts.length === 0 && title}
      {!quiet && sorts.length > 0 && (
        <button
          type="button"
          // past the last one it is the usual order again
          onClick={() => set({ sort: next === 'newest' ? null : next, cursor: null })}
          className={`inline-flex items-center gap-0.5 hover:text-ink ${direction === undefined ? '' : 'text-ink'}`}
        >
          {title}
          {direction === undefined ? (
            <ChevronsUpDown aria-hidden className="size-3.5" />
          ) : (
            <Arrow aria-hidden className="size-3.5" />
          )}
        </button>
      )}
    </th>
  )
}

const heldBack = (fresh: number, gone: number): string =>
  [fresh > 0 && `${fresh} new`, gone > 0 && `${gone} gone`].filter(Boolean).join(', ')

/** As `Table`, for those who need the rows that are shown. */
export const SteadyTable = <Row,>({
  label,
  columns,
  keyOf,
  dense = false,
  steady: { rows, fresh, gone, show, ref },
}: RowsProps<Row> & { readonly steady: Steady<Row> }) => {
  const place = ({ numeric, from, grows }: Column<Row>): string =>
    [
      'px-3 py-2 first:pl-4 last:pr-4',
      numeric ? 'text-right tabular-nums' : 'text-left',
      dense ? 'xl:px-2 xl:py-[3px] xl:whitespace-nowrap' : '',
      dense && grows ? 'xl:w-full xl:max-w-0 xl:truncate' : '',
      from ? shownFrom[from] : '',
    ].join(' ')
  return (
    <div ref={ref} className="relative">
      {(fresh > 0 || gone.size > 0) && (
        // over the rows, so that it does not move them
        <div className="pointer-events-none absolute inset-0 z-10">
          <div className="sticky top-28 flex justify-center pt-0.5">
            <button
              type="button"
              onClick={event => {
                // the button goes, and would take the focus with it unnoticed
                event.currentTarget.blur()
                show()
              }}
              className="pointer-events-auto rounded-full bg-accent-fill px-3 py-0.5 text-xs font-semibold text-white shadow-md hover:brightness-110"
            >
              {heldBack(fresh, gone.size)}, show
            </button>
          </div>
        </div>
      )}
      <Scrollable label={label} className="overflow-x-auto">
        <table className="w-full text-sm">
          <thead>
            <tr className="border-b border-line text-xs text-muted">
              {columns.map(column => (
                <Head key={column.title} column={column} className={`${place(column)} font-medium`} />
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(row => (
              <tr
                key={keyOf(row)}
                className={`group/row border-b border-line align-top last:border-0 hover:bg-raised/60 ${gone.has(keyOf(row)) ? 'opacity-50' : ''}`}
              >
                {columns.map(column => (
                  <td key={column.title} className={`${place(column)} ${column.numeric ? 'whitespace-nowrap' : ''}`}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scrollable>
    </div>
  )
}
