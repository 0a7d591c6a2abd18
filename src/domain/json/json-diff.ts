import type { Json } from './json.ts'

/** One difference between two JSON values. `path` is a JSON Pointer (RFC 6901): `/data/items/0`; '' is the whole value. */
export interface Change {
  readonly op: 'add' | 'remove' | 'replace'
  readonly path: string
  /** Null for `add`. */
  readonly from: Json
  /** Null for `remove`. */
  readonly to: Json
}

type JsonObject = { readonly [key: string]: Json }

/**
 * The changes that turn `before` into `after` when applied in order; none for equal values. Items are compared by their index.
 * Names come in the order of `before`, then of `after`.
 */
export const jsonDiff = (before: Json, after: Json, path = ''): readonly Change[] => {
  const changes: Change[] = []
  collect(before, after, path, changes)
  return changes
}

const collect = (before: Json, after: Json, path: string, changes: Change[]): void => {
  if (before === after) return
  if (isList(before) && isList(after)) collectItems(before, after, path, changes)
  else if (isObject(before) && isObject(after)) collectMembers(before, after, path, changes)
  else changes.push({ op: 'replace', path, from: before, to: after })
}

const collectMembers = (before: JsonObject, after: JsonObject, path: string, changes: Change[]): void => {
  for (const [name, from] of Object.entries(before)) {
    const at = `${path}/${escaped(name)}`
    if (Object.hasOwn(after, name)) collect(from, after[name] as Json, at, changes)
    else changes.push({ op: 'remove', path: at, from, to: null })
  }
  for (const [name, to] of Object.entries(after)) {
    if (!Object.hasOwn(before, name)) changes.push({ op: 'add', path: `${path}/${escaped(name)}`, from: null, to })
  }
}

const collectItems = (before: readonly Json[], after: readonly Json[], path: string, changes: Change[]): void => {
  const shared = Math.min(before.length, after.length)
  for (let i = 0; i < shared; i++) {
    // most items of a long list are equal: build no path for them
    if (before[i] !== after[i]) collect(before[i] as Json, after[i] as Json, `${path}/${i}`, changes)
  }
  for (let i = shared; i < after.length; i++) {
    changes.push({ op: 'add', path: `${path}/${i}`, from: null, to: after[i] as Json })
  }
  // from the end, so that the other indexes stay valid
  for (let i = before.length - 1; i >= shared; i--) {
    changes.push({ op: 'remove', path: `${path}/${i}`, from: before[i] as Json, to: null })
  }
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)
const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')
