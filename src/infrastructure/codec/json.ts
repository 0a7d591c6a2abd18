import * as t from 'io-ts'
import type { Json } from '../../domain/command/events.ts'

/** Any JSON value, as read from jsonb: what PostgreSQL gives back needs no second look. */
export const json = new t.Type<Json, Json, unknown>(
  'Json',
  (value): value is Json => value !== undefined,
  (value, context) => (value === undefined ? t.failure(value, context) : t.success(value as Json)),
  value => value,
)

/** What io-ts found wrong, one `path: expected X` each, never the value itself: values may be secrets. */
export const faultsOf = (errors: t.Errors): readonly string[] =>
  errors.map(error => {
    const path = error.context
      .slice(1)
      .map(entry => entry.key)
      .filter(key => key !== '')
      .join('.')
    const expected = error.context.at(-1)?.type.name ?? 'something else'
    return error.message ?? `${path === '' ? 'the value' : path}: expected ${expected}`
  })
