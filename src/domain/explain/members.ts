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
}

/** What the payloads have at one path. Each payload is counted once for each value, also where a list has it twice. */
export interface Member {
  readonly path: string
  readonly present: Tally
  readonly types: Map<JsonType, Tally>
  /** By their JSON text. */
  readonly values: Map<string, Tally>
  readonly numbers: Measured[]
  /** Of texts (characters) and lists (elements). */
  readonly lengths: Measured[]
}

const typeOf = (value: Json): JsonType => {
  if (value === null) return 'null'
  if (typeof value === 'object') return Array.isArray(value) ? 'list' : 'object'
  return typeof value as 'boolean' | 'number' | 'string'
}

const count = <Key>(tallies: Map<Key, Tally>, key: Key, failed: boolean): void => {
  let tally = tallies.get(key)
  if (tally === undefined) {
    tally = { failed: 0, succeeded: 0 }
    tallies.set(key, tally)
  }
  add(tally, failed)
}

const add = (tally: Tally, failed: boolean): void => {
  if (failed) tally.failed++
  else tally.succeeded++
}

/** What these payloads have at each path, such as `customer.country` and `items[].sku`. Hidden members are not looked into. */
export const membersOf = (
  samples: readonly (Sample & { readonly failed: boolean })[],
  isHidden: (path: string) => boolean,
): readonly Member[] => {
  const members = new Map<string, Member | null>()
  const namesBelow = new Map<string, number>()
  const memberAt = (path: string, above: string): Member | null => {
    const known = members.get(path)
    if (known !== undefined) return known
    const names = namesBelow.get(above) ?? 0
    if (members.size >= MOST_PATHS || names >= MOST_NAMES) return null
    namesBelow.set(above, names + 1)
    const made = isHidden(path) ? null : emptyMember(path)
    members.set(path, made)
    return made
  }
  for (const { data, failed } of samples) {
    if (data === undefined) continue
    const seen = new Set<string>()
    const once = (what: string): boolean => !seen.has(what) && seen.add(what) !== undefined
    // members near the top first: a large list or object further down must not leave them out
    const places: Place[] = [{ value: data, path: '', above: '', depth: 0 }]
    for (let i = 0; i < places.length && i < MOST_PLACES; i++) {
      const place = places[i] as Place
      const member = memberAt(place.path, place.above)
      if (member === null) continue
      tally(member, place.value, failed, once)
      if (place.depth < MAX_DEPTH) places.push(...placesBelow(place))
    }
  }
  return [...members.values()].filter(member => member !== null)
}

interface Place {
  readonly value: Json
  readonly path: string
  readonly above: string
  readonly depth: number
}

const emptyMember = (path: string): Member => ({
  path,
  present: { failed: 0, succeeded: 0 },
  types: new Map(),
  values: new Map(),
  numbers: [],
  lengths: [],
})

const placesBelow = ({ value, path, depth }: Place): readonly Place[] => {
  if (typeof value !== 'object' || value === null) return []
  const below = { above: path, depth: depth + 1 }
  if (Array.isArray(value))
    return value.slice(0, MOST_ELEMENTS).map((one: Json) => ({ value: one, path: `${path}[]`, ...below }))
  return Object.entries(value)
    .slice(0, MOST_NAMES)
    .map(([name, one]) => ({ value: one, path: path === '' ? name : `${path}.${name}`, ...below }))
}

const tally = (
  { path, present, types, values, numbers, lengths }: Member,
  value: Json,
  failed: boolean,
  once: (what: string) => boolean,
): void => {
  const type = typeOf(value)
  if (once(path)) add(present, failed)
  if (once(`${path}\n${type}`)) count(types, type, failed)
  const isAlone = !path.includes('[]')
  if (isAlone && typeof value === 'number') numbers.push({ value, failed })
  if (isAlone && (typeof value === 'string' || Array.isArray(value))) lengths.push({ value: value.length, failed })
  if (type === 'list' || type === 'object' || (typeof value === 'string' && value.length > MAX_TEXT)) return
  const text = JSON.stringify(value)
  if (once(`${path}\n=${text}`)) count(values, text, failed)
}
