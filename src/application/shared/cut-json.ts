import type { Json } from '../../domain/json/json.ts'
import type { Change } from '../../domain/json/json-diff.ts'
import { storableText } from './json.ts'

/** A payload, a result or the like stands whole in a list or a history up to this many bytes of JSON text. */
export const MAX_ITEM_BYTES = 4_096
/** Characters of the beginning that stands there instead. */
export const PREVIEW_CHARACTERS = 200
/** Characters of an error's message in a list; it stands whole with the single command. */
export const MESSAGE_CHARACTERS = 1_000
/** Bytes that a list of differences may take; those beyond are counted. */
const MAX_CHANGES_BYTES = 65_536

/** What is said of a value that is too large to be carried. */
export interface Cut {
  /** As JSON text. */
  readonly bytes: number
  readonly preview: string
}

/** Null: the value is small enough to be carried whole. */
export const cutOf = (value: Json): Cut | null => {
  const text = JSON.stringify(value) ?? 'null'
  const bytes = Buffer.byteLength(text)
  return bytes <= MAX_ITEM_BYTES ? null : { bytes, preview: text.slice(0, PREVIEW_CHARACTERS).toWellFormed() }
}

/** What stands beside a member that is null because it was too large: `dataBytes` and `dataPreview`. */
export type CutBeside<Name extends string> = { readonly [N in Name as `${N}Bytes`]?: number } & {
  readonly [N in Name as `${N}Preview`]?: string
}

/** A member `name`: the value, or null with its size and its beginning beside it. */
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

/** The message of an error, as lists and the steps of a history carry it. */
export const cutMessage = <Text extends string | null>(message: Text): Text =>
  (message === null ? null : storableText(message, MESSAGE_CHARACTERS)) as Text

export type CutChange = Change & CutBeside<'from' | 'to'>

export interface CutChanges {
  readonly diff: readonly CutChange[]
  /** So many more there are; left out where all are there. */
  readonly diffOmitted?: number
}

/** Differences with large values cut, and as many as have room. */
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

/** The same as `cutMember` for values that come again and again, as a payload does in each step: each is measured once. */
export const rememberCuts = (): typeof cutMember => {
  const known = new Map<Json, Cut | null>()
  return (name, value) => {
    if (!known.has(value)) known.set(value, cutOf(value))
    return cutMember(name, value, known.get(value))
  }
}
