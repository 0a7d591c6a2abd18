import * as t from 'io-ts'
import type { Json } from '../../domain/json/json.ts'

/** Any JSON value read from jsonb, which PostgreSQL has checked already. */
export const json = new t.Type<Json, Json, unknown>(
  'Json',
  (value): value is Json => value !== undefined,
  (value, context) => (value === undefined ? t.failure(value, context) : t.success(value as Json)),
  t.identity,
)

/** A finite number: JSON writes any other one as null. */
export const number = new t.Type<number, number, unknown>(
  'number',
  (value): value is number => Number.isFinite(value),
  (value, context) => (Number.isFinite(value) ? t.success(value as number) : t.failure(value, context)),
  t.identity,
)

/** One of these words. */
export const oneOf = <const Word extends string>(words: readonly Word[]) =>
  t.keyof(Object.fromEntries(words.map(word => [word, null])) as Record<Word, null>)

/** A long list may have a fault for each of its items. */
const MOST_FAULTS = 20

/** The first faults that io-ts found, each as `path: expected X`. Without the values, which may be secrets. */
export const faultsOf = (errors: t.Errors, root = ''): readonly string[] => [
  ...new Set(
    errors.slice(0, MOST_FAULTS).map(({ context, message }) => {
      const entries = context.filter((_, i) => i === 0 || !isAlternative(context[i - 1]))
      const at = [root, ...entries.slice(1).map(({ key }) => key)].filter(name => name !== '').join('.')
      return message ?? `${at === '' ? 'the value' : at}: expected ${entries.at(-1)?.type.name ?? 'something else'}`
    }),
  ),
]

/** The members of unions and intersections have numbers, which are not part of the path. */
const isAlternative = (entry: t.ContextEntry | undefined): boolean => {
  const type = entry?.type instanceof t.ExactType ? entry.type.type : entry?.type
  return type instanceof t.UnionType || type instanceof t.IntersectionType
}
