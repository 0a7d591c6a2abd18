import type { Json } from '../../domain/json/json.ts'
import { fits, HIDDEN, patternsFor } from './hide.ts'
import type { SensitivePath } from './sensitive-paths.ts'

/** A text without the values that few should see. `isCut`: it is the beginning of a longer one, and may end within a value. */
export type HideValues = (text: string, isCut?: boolean) => string

/** A shorter value may stand in a text by chance. */
const LEAST_CHARACTERS = 6

export const hidesNothing: HideValues = text => text

/** Hides what stands at the declared paths of one command's payload, wherever its values stand in a text as they are. */
export const hidingValuesOf = (
  payload: Json,
  paths: readonly SensitivePath[],
  command: { readonly domain: string; readonly commandType: string },
): HideValues => {
  const patterns = patternsFor(command, { paths, reveals: () => false })
  if (patterns.length === 0) return hidesNothing
  const values = new Set<string>()
  const collect = (value: Json, path: readonly string[], isHidden: boolean): void => {
    if (value === null || typeof value === 'boolean') return
    if (typeof value === 'object') {
      for (const [name, member] of Object.entries(value)) {
        const below = [...path, name]
        collect(member, below, isHidden || fits(below, patterns))
      }
    } else if (isHidden) for (const form of formsOf(String(value))) values.add(form)
  }
  collect(payload, [], false)
  return hiding(values)
}

/** All values of several commands. */
export const hidingAll =
  (several: readonly HideValues[]): HideValues =>
  (text, isCut) =>
    several.reduce((hidden, hide) => hide(hidden, isCut), text)

/** As it is, as a part of JSON, and as a part of an address. */
const formsOf = (value: string): readonly string[] => {
  const text = value.trim()
  return [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text.toWellFormed())].filter(
    form => form.length >= LEAST_CHARACTERS,
  )
}

const hiding = (values: ReadonlySet<string>): HideValues => {
  if (values.size === 0) return hidesNothing
  /** How long the values with the same beginning are, the longest first. */
  const lengths = new Map<string, number[]>()
  for (const value of [...values].sort((a, b) => b.length - a.length)) {
    const start = value.slice(0, LEAST_CHARACTERS)
    const known = lengths.get(start)
    if (known === undefined) lengths.set(start, [value.length])
    else if (known.at(-1) !== value.length) known.push(value.length)
  }
  const isCutValue = (rest: string): boolean => [...values].some(value => value.startsWith(rest))

  return (text, isCut = false) => {
    let hidden = ''
    let kept = 0
    for (let i = 0; i + LEAST_CHARACTERS <= text.length; ) {
      const found = lengths.get(text.slice(i, i + LEAST_CHARACTERS))
      const length = found?.find(one => values.has(text.slice(i, i + one)))
      if (length !== undefined) {
        hidden += text.slice(kept, i) + HIDDEN
        i += length
        kept = i
      } else if (found !== undefined && isCut && isCutValue(text.slice(i))) {
        return hidden + text.slice(kept, i) + HIDDEN
      } else i++
    }
    return hidden + text.slice(kept)
  }
}
