import { EVENTS_PATH } from '../../../contract/events.ts'
import { api } from '../../../contract/index.ts'
import { BASE_PATH } from '../../../contract/route.ts'

const patternOf = (path: string): RegExp => new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`)

const declared: readonly (readonly [pattern: RegExp, method: string])[] = [
  ...Object.values(api).map(({ method, path }) => [patternOf(`${BASE_PATH}${path}`), method] as const),
  [patternOf(EVENTS_PATH), 'GET'],
]

/** The methods of the API at this address, without its query; none where there is nothing. */
export const methodsAt = (url: string): readonly string[] => {
  const [path = ''] = url.split('?', 1)
  return [...new Set(declared.flatMap(([pattern, method]) => (pattern.test(path) ? [method] : [])))].sort()
}
