import type { Api } from '../../../src/contract/index.ts'
import { api as routes } from '../../../src/contract/index.ts'
import { BASE_PATH } from '../../../src/contract/route.ts'
import { queryNames } from '../../../src/contract/search/item-columns.ts'
import { ApiProblem, send } from './client.ts'
import { currentToken } from './session.ts'

/** A list that can be downloaded. */
export type ListRoute = {
  readonly [Id in keyof Api]: Id extends `list${string}` | 'groupParked' ? Id : never
}[keyof Api]

const PAGE = 500
/** More rows than this do not fit into a table that somebody reads. */
export const MOST_ROWS = 50_000

interface Download {
  readonly text: string
  /** There are more rows than `MOST_ROWS`: the oldest, or last, are missing. */
  readonly isCut: boolean
}

/** A list as CSV, page after page; its filters are those that the address has. */
export const readCsv = async (id: ListRoute, address: URLSearchParams): Promise<Download> => {
  const names = queryNames(routes[id])
  const query = new URLSearchParams([...address].filter(([name]) => names.includes(name) && name !== 'cursor'))
  if (names.includes('limit')) query.set('limit', String(PAGE))
  let text = ''
  let next: string | null = `${BASE_PATH}${routes[id].path}?${query}`
  for (let pages = 0; next !== null && pages < MOST_ROWS / PAGE; pages++) {
    const response: Response = await send(new URL(next, location.origin), {
      headers: { accept: 'text/csv', authorization: `Bearer ${currentToken()}` },
    })
    const page = await response.text()
    if (!response.ok) throw problemOf(response, page)
    // names of columns have no line breaks
    text += pages === 0 ? page : page.slice(page.indexOf('\r\n') + 2)
    next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1] ?? null
  }
  return { text, isCut: next !== null }
}

const problemOf = (response: Response, text: string): ApiProblem => {
  try {
    const { code, detail, errors } = JSON.parse(text) as ApiProblem
    return new ApiProblem(response.status, code, detail, errors)
  } catch {
    return new ApiProblem(response.status, 'UNKNOWN', response.statusText)
  }
}

/** Has the browser store a text as a file. */
export const saveFile = (name: string, text: string): void => {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
