import type { Json } from '../../domain/json/json.ts'

/**
 * The most bytes of payloads and results in one statement, as `heldBytes` counts them. PostgreSQL accepts 256 MB as one
 * document, which has each payload twice, and needs several times that memory to read it.
 */
export const MAX_STATEMENT_BYTES = 8 * 1024 * 1024

/** About how many bytes PostgreSQL needs for a value as jsonb, rarely fewer: a list of numbers is six times its text. */
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
/** Bytes of an entry and a padded numeric. */
const NUMBER = 20
/** Shorter texts are not counted exactly, because that costs more than it gains. */
const SHORT = 64
const LONGEST_CHARACTER = 3
