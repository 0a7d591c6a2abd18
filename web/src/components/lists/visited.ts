/** A list as it was when one of its rows was opened: kept for the way back and to the next row. */
interface Visited {
  readonly address: string
  /** Addresses of its rows, in their order. */
  readonly rows: readonly string[]
}

const KEY = 'commandbus.list'

const visited = (): Visited | null => {
  try {
    const found: Visited | null = JSON.parse(sessionStorage.getItem(KEY) ?? 'null')
    return typeof found?.address === 'string' && Array.isArray(found.rows) ? found : null
  } catch {
    return null
  }
}

/** Called while a list is shown. */
export const rememberList = (address: string, rows: readonly string[]): void =>
  sessionStorage.setItem(KEY, JSON.stringify({ address, rows } satisfies Visited))

export interface Neighbors {
  readonly previous: string | undefined
  readonly next: string | undefined
  /** From 1. */
  readonly place: number
  readonly of: number
}

/** The rows before and after one, in the list that the user came from; null: it is not on that list. */
export const neighborsOf = (row: string, from: string | null): Neighbors | null => {
  const list = visited()
  if (list === null || list.address !== from) return null
  const at = list.rows.indexOf(row)
  return at < 0 ? null : { previous: list.rows[at - 1], next: list.rows[at + 1], place: at + 1, of: list.rows.length }
}
