import type { Json } from '../json/json.ts'
import type { Measured } from './interval.ts'
import type { Sample } from './sample.ts'

/** Longer texts are not compared. */
const MAX_TEXT = 100
const MAX_DEPTH = 6
/** Names below one path, places of one payload, and paths of all together; further ones are left out. */
const MOST_NAMES = 300
const MOST_PLACES = 1_000
const MOST_PATHS = 2_000
/** Elements of a list that are looked at. */
const MOST_ELEMENTS = 20

export type JsonType = 'null' | 'boolean' | 'number' | 'string' | 'list' | 'object'

export interface Tally {
  failed: number
  succeeded: number
  /** The last payload that was counted: each counts once, also where a list has something twice. */
  last: number
}

/** What the payloads have at one path. */
export interface Member {
  readonly path: string
  readonly present: Tally
  readonly types: Map<JsonType, Tally>
  /** Texts, numbers, booleans and null. */
  readonly values: Map<Json, Tally>
  readonly numbers: Measured
  /** Of texts (characters) and lists (elements). */
  readonly lengths: Measured
}

/** With the members below; null: one that is not looked into. */
interface Node extends Member {
  readonly below: Map<string, Node | null>
  elements: Node | null | undefined
}

type Marked = Sample & { readonly failed: boolean }

const typeOf = (value: Json): JsonType => {
  if (value === null) return 'null'
  if (typeof value === 'object') return Array.isArray(value) ? 'list' : 'object'
  return typeof value as 'boolean' | 'number' | 'string'
}

const newTally = (): Tally => ({ failed: 0, succeeded: 0, last: -1 })

const add = (tally: Tally, failed: boolean, payload: number): void => {
  if (tally.last === payload) return
  tally.last = payload
  if (failed) tally.failed++
  else tally.succeeded++
}

const count = <Key>(tallies: Map<Key, Tally>, key: Key, failed: boolean, payload: number): void => {
  let tally = tallies.get(key)
  if (tally === undefined) {
    tally = newTally()
    tallies.set(key, tally)
  }
  add(tally, failed, payload)
}

const newMeasured = (): Measured => ({ values: [], failed: [], at: [] })

const newNode = (path: string): Node => ({
  path,
  present: newTally(),
  types: new Map(),
  values: new Map(),
  numbers: newMeasured(),
  lengths: newMeasured(),
  below: new Map(),
  elements: undefined,
})

interface Place {
  readonly node: Node
  readonly value: Json
  readonly depth: number
}

/** What these payloads have at each path, such as `customer.country` and `items[].sku`. Hidden members are not looked into. */
export const membersOf = (samples: readonly Marked[], isHidden: (path: string) => boolean): readonly Member[] => {
  const members: Node[] = []
  const make = (path: string): Node | null => {
    if (members.length >= MOST_PATHS || isHidden(path)) return null
    const node = newNode(path)
    members.push(node)
    return node
  }
  const elementsOf = (node: Node): Node | null => {
    if (node.elements === undefined) node.elements = make(`${node.path}[]`)
    return node.elements
  }
  const memberOf = (node: Node, name: string): Node | null => {
    const known = node.below.get(name)
    if (known !== undefined) return known
    if (node.below.size >= MOST_NAMES) return null
    const made = make(node.path === '' ? name : `${node.path}.${name}`)
    node.below.set(name, made)
    return made
  }
  const root = make('')
  samples.forEach((sample, payload) => {
    if (sample.data === undefined || root === null) return
    const at = Date.parse(sample.at)
    // members near the top first: a large list or object further down must not leave them out
    const places: Place[] = [{ node: root, value: sample.data, depth: 0 }]
    for (let i = 0; i < places.length && i < MOST_PLACES; i++) {
      const { node, value, depth } = places[i] as Place
      tally(node, value, sample.failed, at, payload)
      if (depth === MAX_DEPTH || typeof value !== 'object' || value === null) continue
      if (Array.isArray(value)) {
        const below = elementsOf(node)
        if (below === null) continue
        for (const one of value.slice(0, MOST_ELEMENTS)) places.push({ node: below, value: one, depth: depth + 1 })
      } else {
        for (const [name, one] of Object.entries(value).slice(0, MOST_NAMES)) {
          const below = memberOf(node, name)
          if (below !== null) places.push({ node: below, value: one, depth: depth + 1 })
        }
      }
    }
  })
  return members
}

const measure = (measured: Measured, value: number, failed: boolean, at: number): void => {
  measured.values.push(value)
  measured.failed.push(failed)
  measured.at.push(at)
}

const tally = (node: Node, value: Json, failed: boolean, at: number, payload: number): void => {
  const type = typeOf(value)
  add(node.present, failed, payload)
  count(node.types, type, failed, payload)
  if (typeof value === 'number') measure(node.numbers, value, failed, at)
  if (typeof value === 'string' || Array.isArray(value)) measure(node.lengths, value.length, failed, at)
  if (type === 'list' || type === 'object' || (typeof value === 'string' && value.length > MAX_TEXT)) return
  count(node.values, value, failed, payload)
}

/** How many places of a payload are looked at, at the most. */
export const placesOf = (data: Json): number => {
  let places = 0
  let level: readonly Json[] = [data]
  for (let depth = 0; level.length > 0 && depth <= MAX_DEPTH; depth++) {
    places += level.length
    if (places >= MOST_PLACES) return MOST_PLACES
    level = level.flatMap((value): readonly Json[] => {
      if (typeof value !== 'object' || value === null) return []
      return Array.isArray(value) ? value.slice(0, MOST_ELEMENTS) : Object.values(value).slice(0, MOST_NAMES)
    })
  }
  return places
}
