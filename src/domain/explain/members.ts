import type { Json } from '../json/json.ts'
import type { Measured } from './interval.ts'
import type { Sample } from './sample.ts'

/** Longer texts are not compared. */
const MAX_TEXT = 100
const MAX_DEPTH = 6
/** Of one payload, and of all together; further ones are left out. */
const MOST_MEMBERS = 300
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

/** The word for a payload that is not an object. */
export const PAYLOAD = 'the payload'

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
  const memberAt = (path: string): Member | null => {
    const known = members.get(path)
    if (known !== undefined) return known
    if (members.size >= MOST_PATHS) return null
    const made: Member | null = isHidden(path)
      ? null
      : { path, present: { failed: 0, succeeded: 0 }, types: new Map(), values: new Map(), numbers: [], lengths: [] }
    members.set(path, made)
    return made
  }
  for (const { data, failed } of samples) {
    if (data === undefined) continue
    const seen = new Set<string>()
    const once = (what: string): boolean => !seen.has(what) && seen.add(what) !== undefined
    const visit = (value: Json, path: string, depth: number): void => {
      if (seen.size > MOST_MEMBERS * 3) return
      const member = memberAt(path)
      if (member === null) return
      const type = typeOf(value)
      if (once(path)) add(member.present, failed)
      if (once(`${path}\n${type}`)) count(member.types, type, failed)
      const inList = path.includes('[]')
      if (type === 'list') {
        const list = value as readonly Json[]
        if (!inList) member.lengths.push({ value: list.length, failed })
        if (depth < MAX_DEPTH) for (const one of list.slice(0, MOST_ELEMENTS)) visit(one, `${path}[]`, depth + 1)
      } else if (type === 'object') {
        if (depth >= MAX_DEPTH) return
        for (const [name, one] of Object.entries(value as object).slice(0, MOST_MEMBERS))
          visit(one, path === '' ? name : `${path}.${name}`, depth + 1)
      } else {
        if (type === 'number' && !inList) member.numbers.push({ value: value as number, failed })
        if (type === 'string' && !inList) member.lengths.push({ value: (value as string).length, failed })
        if (typeof value === 'string' && value.length > MAX_TEXT) return
        const text = JSON.stringify(value)
        if (once(`${path}\n=${text}`)) count(member.values, text, failed)
      }
    }
    visit(data, '', 0)
  }
  return [...members.values()].filter(member => member !== null)
}
