import type { ReactNode } from 'react'
import { Scrollable } from './Scrollable.tsx'

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => ReactNode
  /** Numbers are aligned right. */
  readonly numeric?: boolean
  /** Left out where the window is narrower: `sm` 640, `md` 768, `lg` 1024, `xl` 1280 px. */
  readonly from?: 'sm' | 'md' | 'lg' | 'xl'
  /** The title is read out, not shown. */
  readonly quiet?: boolean
}

const shownFrom = {
  sm: 'hidden sm:table-cell',
  md: 'hidden md:table-cell',
  lg: 'hidden lg:table-cell',
  xl: 'hidden xl:table-cell',
} as const

interface TableProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
}

export const Table = <Row,>({ label, columns, rows, keyOf }: TableProps<Row>) => {
  const place = ({ numeric, from }: Column<Row>): string =>
    `px-3 py-2 first:pl-4 last:pr-4 ${numeric ? 'text-right tabular-nums' : 'text-left'} ${from ? shownFrom[from] : ''}`
  return (
    <Scrollable label={label} className="overflow-x-auto">
      <table className="w-full text-sm">
        <thead>
          <tr className="border-b border-line text-xs text-muted">
            {columns.map(column => (
              <th key={column.title} scope="col" className={`${place(column)} font-medium`}>
                {column.quiet ? <span className="sr-only">{column.title}</span> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={keyOf(row)} className="border-b border-line align-top last:border-0 hover:bg-raised/60">
              {columns.map(column => (
                <td key={column.title} className={place(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrollable>
  )
}
