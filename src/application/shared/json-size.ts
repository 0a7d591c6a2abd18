import type { Json } from '../../domain/json/json.ts'

/**
 * What one statement may carry of payloads and results, in bytes as `heldBytes` counts them. PostgreSQL takes 256 MB as
 * one document, in which each payload stands twice, and needs several times that to read it.
 */
export const MAX_STATEMENT_BYTES = 8 * 1024 * 1024

/** About as many bytes as PostgreSQL needs for a value as jsonb, hardly ever fewer: a list of numbers is six times its text. */
export const heldBytes = (value: Json): number => {
  switch (typeof value) {
    case 'string':
      return textBytes(value)
    case 'number':
      return NUMBER
    case 'boolean':
      return ENTRY
    default:
      return value === null ? ENTRY : heldByObject(value)
  }
}

const heldByObject = (value: NonNullable<Exclude<Json, string | number | boolean>>): number => {
  let bytes = 2 * ENTRY
  if (Array.isArray(value)) for (const item of value) bytes += heldBytes(item)
  else for (const name of Object.keys(value)) bytes += textBytes(name) + heldBytes((value as Members)[name] as Json)
  return bytes
}

type Members = { readonly [name: string]: Json }

const textBytes = (text: string): number =>
  ENTRY + (text.length < SHORT ? text.length * LONGEST_CHARACTER : Buffer.byteLength(text))

const ENTRY = 4
/** An entry, and a numeric with its padding. */
const NUMBER = 20
/** Counting costs more than it gains below this. */
const SHORT = 64
const LONGEST_CHARACTER = 3
