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
