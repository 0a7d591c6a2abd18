import * as t from 'io-ts'
import { commandStatuses } from '../../../domain/command/transitions.ts'

/** A JSON Schema, as OpenAPI 3.1 takes it. */
export type JsonSchema = { readonly [keyword: string]: unknown }

const schemas = new WeakMap<t.Mixed, JsonSchema>()

/** Says what a codec of our own stands for in the OpenAPI page. */
export const described = <C extends t.Mixed>(codec: C, schema: JsonSchema): C => {
  schemas.set(codec, schema)
  return codec
}

export const schemaOf = (codec: t.Mixed): JsonSchema | undefined => schemas.get(codec)

/** A text with a rule, which its name says in the refusal: `commandId: expected a UUID`. */
const ruled = (name: string, fits: (text: string) => boolean, schema: JsonSchema): t.Type<string> =>
  described(
    new t.Type<string>(
      name,
      (value): value is string => typeof value === 'string' && fits(value),
      (value, context) => (typeof value === 'string' && fits(value) ? t.success(value) : t.failure(value, context)),
      t.identity,
    ),
    { type: 'string', ...schema },
  )

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export const uuid = ruled('a UUID', text => UUID.test(text), { format: 'uuid' })

/** ISO 8601, a date or a date and time. */
export const instant = ruled(
  'an ISO 8601 date or time',
  text => /^\d{4}-\d{2}-\d{2}/.test(text) && text.length <= 40 && !Number.isNaN(Date.parse(text)),
  { format: 'date-time' },
)

/** Any JSON value. */
export const anyJson = described(
  new t.Type<unknown>(
    'any JSON value',
    (value): value is unknown => value !== undefined,
    (value, context) => (value === undefined ? t.failure(value, context) : t.success(value)),
    t.identity,
  ),
  {},
)

export const status = described(t.keyof(Object.fromEntries(commandStatuses.map(word => [word, null])) as Words), {
  type: 'string',
  enum: commandStatuses,
})
type Words = Record<(typeof commandStatuses)[number], null>

/** A whole number in a query, as text there. */
export const wholeNumber = (min: number, max: number): t.Type<number, string, unknown> =>
  described(
    new t.Type<number, string, unknown>(
      `a whole number from ${min} to ${max}`,
      t.number.is,
      (value, context) => {
        const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
        return number >= min && number <= max ? t.success(number) : t.failure(value, context)
      },
      String,
    ),
    { type: 'integer', minimum: min, maximum: max },
  )

/** Required and optional members of an object; any further member is refused. */
export const object = <R extends t.Props, O extends t.Props = Record<never, never>>(required: R, optional?: O) =>
  exactly(t.intersection([t.type(required), t.partial(optional ?? ({} as O))]), [
    ...Object.keys(required),
    ...Object.keys(optional ?? {}),
  ])

/** Refuses members nobody asked for, so that a misspelt one is not silently dropped. */
const exactly = <C extends t.Mixed>(
  codec: C,
  names: readonly string[],
): t.Type<t.TypeOf<C>, t.OutputOf<C>, unknown> => {
  const known = new Set(names)
  const exact = new t.Type<t.TypeOf<C>, t.OutputOf<C>, unknown>(
    codec.name,
    codec.is,
    (value, context) => {
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        const strange = Object.keys(value).find(name => !known.has(name))
        if (strange !== undefined) {
          const path = [...context, { key: strange.slice(0, 100), type: t.never, actual: undefined }]
          return t.failure(
            value,
            path,
            `${strange.slice(0, 100)}: not known here; known are ${names.join(', ') || 'none'}`,
          )
        }
      }
      return codec.validate(value, context)
    },
    codec.encode,
  )
  inner.set(exact, codec)
  return exact
}

const inner = new WeakMap<t.Mixed, t.Mixed>()
/** The codec below an exact one. */
export const innerOf = (codec: t.Mixed): t.Mixed | undefined => inner.get(codec)

export const nullable = <C extends t.Mixed>(codec: C) => t.union([codec, t.null])
