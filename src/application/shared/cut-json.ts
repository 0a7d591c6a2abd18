import type { Json } from '../../domain/json/json.ts'
import type { Change } from '../../domain/json/json-diff.ts'
import { storableText } from './json.ts'

/** Lists and histories have a value whole up to this many bytes of JSON text. */
export const MAX_ITEM_BYTES = 4_096
/** Characters of the preview of a larger value. */
export const PREVIEW_CHARACTERS = 200
/** Characters of an error message in a list; the single command has it whole. */
export const MESSAGE_CHARACTERS = 1_000
/** The most bytes of a list of differences; the rest are only counted. */
const MAX_CHANGES_BYTES = 65_536

/** Describes a value that is too large. */
export interface Cut {
  /** As JSON text. */
  readonly bytes: number
  readonly preview: string
}

/** Null: the value is small enough. */
export const cutOf = (value: Json): Cut | null => {
  const text = JSON.stringify(value) ?? 'null'
  const bytes = Buffer.byteLength(text)
  return bytes <= MAX_ITEM_BYTES ? null : { bytes, preview: text.slice(0, PREVIEW_CHARACTERS).toWellFormed() }
}

/** The members beside one that is null because it was too large: such as `dataBytes` and `dataPreview`. */
export type CutBeside<Name extends string> = { readonly [N in Name as `${N}Bytes`]?: number } & {
  readonly [N in Name as `${N}Preview`]?: string
}

/** A member `name`: the value, or null with its size and its beginning in two further members. */
export const cutMember = <Name extends string>(
  name: Name,
  value: Json,
  cut: Cut | null = cutOf(value),
): { readonly [N in Name]: Json } & CutBeside<Name> =>
  (cut === null
    ? { [name]: value }
    : { [name]: null, [`${name}Bytes`]: cut.bytes, [`${name}Preview`]: cut.preview }) as {
    readonly [N in Name]: Json
  } & CutBeside<Name>

/** An error message for lists and the steps of a history. */
export const cutMessage = <Text extends string | null>(message: Text): Text =>
  (message === null ? null : storableText(message, MESSAGE_CHARACTERS)) as Text

/** A change of a value; large values are cut. */
export type CutChange = Change & CutBeside<'from' | 'to'>

export interface CutChanges {
  readonly diff: readonly CutChange[]
  /** The number of further differences; missing if there are none. */
  readonly diffOmitted?: number
}

/** As many differences as fit, with large values cut. */
export const cutChanges = (changes: readonly Change[], cut = cutMember): CutChanges => {
  const diff: CutChange[] = []
  let room = MAX_CHANGES_BYTES
  for (const { op, path, from, to } of changes) {
    const change = { op, path, ...cut('from', from), ...cut('to', to) }
    room -= Buffer.byteLength(JSON.stringify(change))
    if (room < 0) return { diff, diffOmitted: changes.length - diff.length }
    diff.push(change)
  }
  return { diff }
}

/** As `cutMember`, for values that are repeated, such as the payload in each step: each is measured once. */
export const rememberCuts = (): typeof cutMember => {
  const known = new Map<Json, Cut | null>()
  return (name, value) => {
    if (!known.has(value)) known.set(value, cutOf(value))
    return cutMember(name, value, known.get(value))
  }
}
