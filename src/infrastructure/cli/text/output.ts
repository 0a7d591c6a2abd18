import { ageOf } from '../../../domain/instant.ts'
import { csvOf } from '../../../domain/json/csv.ts'
import { plainJson, visible } from '../../../domain/visible-text.ts'
import { coloured } from './colour.ts'

const GAP = '  '
/** A flexible column is never narrower than that, or than its longest value. */
const NARROWEST = 16
/** Longest cell without a terminal. */
const LONGEST = 200

/** For people; control and invisible characters are escaped, and on a terminal the words of a status have colours. */
export const print = (text: string): void => {
  process.stdout.write(`${coloured(visible(text))}\n`)
}

/** For people, on standard error. */
export const printNote = (text: string): void => {
  process.stderr.write(`${visible(text)}\n`)
}

/** A JSON document for programs: exact, with control characters escaped. */
export const jsonText = (value: unknown): string => plainJson(JSON.stringify(value, null, 2))

let isCsv = false

/** Whether `printJson` writes lists as CSV. */
export const printCsv = (wanted: boolean): void => {
  isCsv = wanted
}

/** The whole answer as one JSON document; with `--csv` the items of a list as CSV, and its next page on standard error. */
export const printJson = (value: unknown): void => {
  if (isCsv && isList(value)) {
    process.stdout.write(csvOf(value.items))
    if (value.nextCursor) printNote(`Next page: repeat with --cursor ${value.nextCursor}`)
  } else process.stdout.write(`${jsonText(value)}\n`)
}

interface List {
  readonly items: readonly { readonly [name: string]: unknown }[]
  readonly nextCursor?: string | null
}

const isList = (value: unknown): value is List =>
  typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items)

/** A value on one line, with control and invisible characters escaped. */
export const plain = (value: unknown): string => {
  const text = value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)
  return visible(text.replace(/[\t\r\n]+/g, ' '))
}

/** An instant without its milliseconds and letters, in UTC. */
export const when = (instant: string | null): string =>
  instant === null ? '' : `${instant.slice(0, 19).replace('T', ' ')}Z`

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => unknown
  /** The same in fewer characters, for terminals that are too narrow for all columns. */
  readonly brief?: (row: Row) => unknown
  /** May be cut to fit; the others (ids and codes, for copying) keep their width. */
  readonly flexible?: true
  /** Left out of a table that would not fit otherwise; the last of these goes first. */
  readonly spare?: true
}

/** A column of instants: in UTC, or as ages where there is little room. */
export const timeColumn = <Row>(title: string, instant: (row: Row) => string | null): Column<Row> => ({
  title,
  value: row => when(instant(row)),
  brief: row => ago(instant(row), Date.now()),
})

/** `3 min ago`, `in 2 h`. */
export const ago = (instant: string | null, now: number): string => {
  if (instant === null) return ''
  const seconds = Math.round((now - Date.parse(instant)) / 1000)
  return seconds < 0 ? `in ${ageOf(-seconds)}` : `${ageOf(seconds)} ago`
}

interface Layout {
  readonly titles: readonly string[]
  readonly lines: readonly (readonly string[])[]
  readonly natural: readonly number[]
  readonly flexible: readonly boolean[]
}

/**
 * Rows under titles. On a terminal that is too narrow, brief values come first, then spare columns go, one by one; if that does
 * not help, each row becomes a block with all its values. Columns without any value are left out.
 */
export const table = <Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number | undefined = process.stdout.columns,
): string => {
  const kept = columns.filter(column => rows.some(row => plain(column.value(row)) !== ''))
  const tries = [kept, ...narrower(kept.map(column => ({ ...column, value: column.brief ?? column.value })))]
  for (const some of tries) {
    const layout = layoutOf(rows, some)
    const widths = widthsOf(layout, width)
    if (widths !== null) return grid(layout, widths)
  }
  return blocks(layoutOf(rows, kept), LONGEST)
}

/** These columns, then those without the last spare one, and so on. */
const narrower = <Row>(columns: readonly Column<Row>[]): readonly (readonly Column<Row>[])[] => {
  const last = columns.findLastIndex(({ spare }) => spare === true)
  return last < 0 ? [columns] : [columns, ...narrower(columns.filter((_, i) => i !== last))]
}

const layoutOf = <Row>(rows: readonly Row[], columns: readonly Column<Row>[]): Layout => {
  const titles = columns.map(({ title }) => title)
  const lines = rows.map(row => columns.map(column => plain(column.value(row))))
  const natural = titles.map((title, i) => Math.max(title.length, ...lines.map(line => line[i]?.length ?? 0)))
  return { titles, lines, natural, flexible: columns.map(({ flexible }) => flexible === true) }
}

/** Flexible columns share the width that the others leave, each at most what it needs; null: there is not enough. */
const widthsOf = ({ natural, flexible }: Layout, width: number | undefined): readonly number[] | null => {
  if (width === undefined) return natural.map((w, i) => (flexible[i] ? Math.min(w, LONGEST) : w))
  const fixed = natural.reduce((sum, w, i) => sum + (flexible[i] ? 0 : w), GAP.length * (natural.length - 1))
  const giving = natural.map((w, i) => ({ w, i })).filter(({ i }) => flexible[i])
  let room = width - fixed
  if (room < giving.reduce((sum, { w }) => sum + Math.min(w, NARROWEST), 0)) return null
  const widths = [...natural]
  giving
    .sort((a, b) => a.w - b.w)
    .forEach(({ w, i }, n) => {
      widths[i] = Math.min(w, Math.floor(room / (giving.length - n)))
      room -= widths[i]
    })
  return widths
}

const cut = (text: string, to: number): string => (text.length <= to ? text : `${text.slice(0, Math.max(0, to - 1))}…`)

const grid = ({ titles, lines }: Layout, widths: readonly number[]): string => {
  const line = (parts: readonly string[]): string =>
    parts
      .map((part, i) => cut(part, widths[i] ?? 0).padEnd(widths[i] ?? 0))
      .join(GAP)
      .trimEnd()
  return [line(titles), ...lines.map(line)].join('\n')
}

const blocks = ({ titles, lines, flexible }: Layout, longest: number): string =>
  lines
    .map(line =>
      fields(titles.map((title, i) => [title, flexible[i] ? cut(line[i] ?? '', longest) : line[i]] as const)),
    )
    .join('\n\n')

/** Names and values below one another; empty values are left out. */
export const fields = (pairs: readonly (readonly [name: string, value: unknown])[]): string => {
  const shown = pairs.filter(([, value]) => plain(value) !== '')
  const longest = Math.max(0, ...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `${name.padEnd(longest)}  ${plain(value)}`).join('\n')
}

/** `1 file`, `2 files`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`

/** JSON over several lines, as people read it. */
export const pretty = (value: unknown): string => JSON.stringify(value, null, 2)
