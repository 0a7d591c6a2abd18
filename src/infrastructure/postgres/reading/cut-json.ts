import {
  type CutBeside,
  cutMember,
  MAX_ITEM_BYTES,
  MESSAGE_CHARACTERS,
  PREVIEW_CHARACTERS,
} from '../../../application/shared/cut-json.ts'
import type { Json } from '../../../domain/json/json.ts'

/** Above this size a value is too large even without the spaces that PostgreSQL writes after commas and colons. */
const SURELY_TOO_LARGE = 2 * MAX_ITEM_BYTES

/**
 * SQL: joins `alias` with a jsonb expression as lists contain it: its `value`; for a large one, which is not sent, null
 * with its size in `bytes` and the beginning of its text as `preview`.
 */
export const joinCut = (json: string, alias: string): string => `
  cross join lateral (
    select case when t.bytes <= ${SURELY_TOO_LARGE} then t.text::jsonb end as value,
           case when t.bytes > ${SURELY_TOO_LARGE} then t.bytes end as bytes,
           case when t.bytes > ${SURELY_TOO_LARGE} then left(t.text, ${PREVIEW_CHARACTERS}) end as preview
    from (select j.text, octet_length(j.text) as bytes from (select (${json})::text as text offset 0) j offset 0) t
  ) ${alias}`

/** The columns of `joinCut`. */
export const cutColumns = (alias: string, name: string): string =>
  `${alias}.value as ${name}, ${alias}.bytes as ${name}_bytes, ${alias}.preview as ${name}_preview`

/** Makes the member `name` of a list's item from the columns that `cutColumns` selected. */
export const cutFrom = <Name extends string>(
  row: object,
  name: Name,
): { readonly [N in Name]: Json } & CutBeside<Name> => {
  const columns = row as { readonly [column: string]: unknown }
  const bytes = (columns[`${name}_bytes`] ?? null) as number | null
  if (bytes === null) return cutMember(name, (columns[name] ?? null) as Json)
  return cutMember(name, null, { bytes, preview: columns[`${name}_preview`] as string })
}

/** The message of an error as lists contain it. */
export const cutMessageColumn = (column: string): string =>
  `case when length(${column}) <= ${MESSAGE_CHARACTERS} then ${column}
        else left(${column}, ${MESSAGE_CHARACTERS}) || '... (' || length(${column}) || ' characters)' end`

/** Columns that are bounded when written: 10,000 characters of a message, 8,000 of stack and causes together. */
const BOUNDED = ['error_message', 'error_stack', 'error_causes']

/** An object whose large members are null, each with its size and its beginning beside it: `result_bytes`, `result_preview`. */
export const cutObject = (object: string): string => `
  coalesce((
    select jsonb_object_agg(part.name, part.value)
    from jsonb_each(${object}) m
    cross join lateral (select case when m.key <> all (array['${BOUNDED.join("', '")}']) then m.value::text end as text offset 0) t
    cross join lateral (select coalesce(octet_length(t.text), 0) > ${MAX_ITEM_BYTES} as large offset 0) s
    cross join lateral (
      select m.key as name, case when not s.large then m.value end as value
      union all select m.key || '_bytes', to_jsonb(octet_length(t.text)) where s.large
      union all select m.key || '_preview', to_jsonb(left(t.text, ${PREVIEW_CHARACTERS})) where s.large) part), '{}')`
