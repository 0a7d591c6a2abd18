import type { Json } from './json.ts'

type JsonObject = { readonly [key: string]: Json }

/** Whether two JSON values are equal, whatever the order of their members. Stops at the first difference. */
export const sameJson = (a: Json, b: Json): boolean => {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b)
  return !Array.isArray(b) && sameMembers(a as JsonObject, b as JsonObject)
}

const sameItems = (a: readonly Json[], b: readonly Json[]): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!sameJson(a[i] as Json, b[i] as Json)) return false
  return true
}

const sameMembers = (a: JsonObject, b: JsonObject): boolean => {
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  for (const name of names) {
    if (!Object.hasOwn(b, name) || !sameJson(a[name] as Json, b[name] as Json)) return false
  }
  return true
}
