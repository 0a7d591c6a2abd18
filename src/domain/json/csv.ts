/** What a spreadsheet would take for a formula, some of them also behind white space or in wide characters. */
const FORMULA = /^(?:[\t\r\n\0]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/
const QUOTED = /[",\r\n]|^\s|\s$/

type Row = { readonly [column: string]: unknown }

/** What has no columns is in the column `value`. */
const rowOf = (item: unknown): Row => (typeof item === 'object' && item !== null ? (item as Row) : { value: item })

/** Every name that the rows have, in their order. */
const columnsOfRows = (rows: readonly Row[]): readonly string[] => [...new Set(rows.flatMap(row => Object.keys(row)))]

/**
 * Rows as CSV (RFC 4180), with a line of names. Objects and lists are JSON; a text that a spreadsheet would run as a formula
 * begins with an apostrophe.
 */
export const csvOf = (items: readonly unknown[], given?: readonly string[]): string => {
  const rows = items.map(rowOf)
  const columns = given ?? columnsOfRows(rows)
  return [columns, ...rows.map(row => columns.map(column => row[column]))]
    .map(line => `${line.map(cell).join(',')}\r\n`)
    .join('')
}

const cell = (value: unknown): string => {
  const text = textOf(value)
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

const textOf = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return FORMULA.test(value) ? `'${value}` : value
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
