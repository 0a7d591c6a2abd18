import type * as t from 'io-ts'
import { innerOf } from '../codecs.ts'
import type { Route } from '../route.ts'

/** The parts of io-ts's types that have members. */
interface Shape {
  readonly _tag?: string
  readonly props?: { readonly [name: string]: t.Mixed }
  readonly types?: readonly t.Mixed[]
  readonly type?: t.Mixed
}

const propsOf = (codec: t.Mixed): { readonly [name: string]: t.Mixed } => {
  const { props, types = [] } = (innerOf(codec) ?? codec) as Shape
  return props ?? Object.assign({}, ...types.map(propsOf))
}

const LISTS: readonly unknown[] = ['ArrayType', 'ReadonlyArrayType']

/** The names that a route's query may have. */
export const queryNames = ({ query }: Pick<Route, 'query'>): readonly string[] => Object.keys(propsOf(query))

/** Texts have one column. */
const columnsOf = (item: t.Mixed): readonly string[] => {
  const names = Object.keys(propsOf(item))
  return names.length === 0 ? ['value'] : names
}

/** The names of a list's items, in the order of their declaration: the columns of its CSV; null: the route has no list. */
export const itemColumns = ({ method, success }: Pick<Route, 'method' | 'success'>): readonly string[] | null => {
  const items = propsOf(success.body).items as Shape | undefined
  return method === 'GET' && LISTS.includes(items?._tag) && items?.type !== undefined ? columnsOf(items.type) : null
}
