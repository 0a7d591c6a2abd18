import * as t from 'io-ts'
import { commandStatuses } from '../domain/command/transitions.ts'
import { isUuid } from '../domain/uuid.ts'

/** A JSON Schema, as OpenAPI 3.1 takes it. */
export type JsonSchema = { readonly [keyword: string]: unknown }

const schemas = new WeakMap<t.Mixed, JsonSchema>()

/** Gives a codec its JSON Schema for the OpenAPI page. */
export const described = <C extends t.Mixed>(codec: C, schema: JsonSchema): C => {
  schemas.set(codec, schema)
  return codec
}

export const schemaOf = (codec: t.Mixed): JsonSchema | undefined => schemas.get(codec)

/** A text that must pass `fits`; the error names the rule: `commandId: expected a UUID`. */
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

export const uuid = ruled('a UUID', text => isUuid(text.toLowerCase()), { format: 'uuid' })

/** ISO 8601, a date or a date and time. */
export const instant = ruled(
  'an ISO 8601 date or time',
  text => /^\d{4}-\d{2}-\d{2}/.test(text) && text.length <= 40 && !Number.isNaN(Date.parse(text)) && isStorable(text),
  { format: 'date-time' },
)

/** PostgreSQL knows no year 0. */
const isStorable = (text: string): boolean => new Date(text).getUTCFullYear() >= 1

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

/** One of these words; the error lists them. */
export const wordOf = <const W extends string>(words: readonly W[]) =>
  described(t.keyof(Object.fromEntries(words.map(word => [word, null])) as Record<W, null>), {
    type: 'string',
    enum: words,
  })

/** A whole number in a query, where it arrives as text. */
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

/** Yes or no in a query, as text there. */
export const trueOrFalse: t.Type<boolean, string, unknown> = described(
  new t.Type<boolean, string, unknown>(
    'true or false',
    t.boolean.is,
    (value, context) =>
      value === 'true' || value === 'false' ? t.success(value === 'true') : t.failure(value, context),
    String,
  ),
  { type: 'boolean' },
)

/** A number in a body. */
export const numberFrom = (min: number, max: number): t.Type<number> =>
  ranged(`a number from ${min} to ${max}`, 'number', min, max, Number.isFinite)

/** A whole number in a body. */
export const integerFrom = (min: number, max: number): t.Type<number> =>
  ranged(`a whole number from ${min} to ${max}`, 'integer', min, max, Number.isInteger)

const ranged = (name: string, type: string, min: number, max: number, fits: (value: number) => boolean) => {
  const is = (value: unknown): value is number =>
    typeof value === 'number' && fits(value) && value >= min && value <= max
  return described(
    new t.Type<number>(
      name,
      is,
      (value, context) => (is(value) ? t.success(value) : t.failure(value, context)),
      t.identity,
    ),
    { type, minimum: min, maximum: max },
  )
}

/** A list of `min` to `max` items; a longer one is refused before its items are checked. */
export const listOf = <C extends t.Mixed>(
  item: C,
  min: number,
  max: number,
): t.Type<t.TypeOf<C>[], t.OutputOf<C>[], unknown> => {
  const list = t.array(item)
  return wrapping(
    list,
    { minItems: min, maxItems: max },
    new t.Type<t.TypeOf<C>[], t.OutputOf<C>[], unknown>(
      `a list of ${min} to ${max} items`,
      list.is,
      (value, context) =>
        Array.isArray(value) && value.length >= min && value.length <= max
          ? list.validate(value, context)
          : t.failure(value, context),
      list.encode,
    ),
  )
}

/** Required and optional members of an object; any further member is refused. */
export const object = <R extends t.Props, O extends t.Props = Record<never, never>>(required: R, optional?: O) =>
  exactly(t.intersection([t.type(required), t.partial(optional ?? ({} as O))]), [
    ...Object.keys(required),
    ...Object.keys(optional ?? {}),
  ])

/** Refuses unknown members, so that a misspelt one is not silently dropped. */
const exactly = <C extends t.Mixed>(
  codec: C,
  names: readonly string[],
): t.Type<t.TypeOf<C>, t.OutputOf<C>, unknown> => {
  const known = new Set(names)
  const message = `not known here; known are ${names.join(', ') || 'none'}`
  return wrapping(
    codec,
    { additionalProperties: false },
    new t.Type<t.TypeOf<C>, t.OutputOf<C>, unknown>(
      codec.name,
      codec.is,
      (value, context) => {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) {
          return t.failure(value, context, 'expected an object')
        }
        const strange = Object.keys(value)
          .filter(name => !known.has(name))
          .slice(0, MAX_STRANGE)
          .map((name): t.ValidationError => {
            const at = { key: name.slice(0, 100), type: t.never, actual: undefined }
            return { value, context: [...context, at], message }
          })
        const decoded = codec.validate(value, context)
        if (strange.length === 0) return decoded
        return t.failures([...strange, ...(decoded._tag === 'Left' ? decoded.left : [])])
      },
      codec.encode,
    ),
  )
}

const MAX_STRANGE = 10

interface Wrapped {
  readonly codec: t.Mixed
  readonly schema: JsonSchema
}

const wrapped = new WeakMap<t.Mixed, Wrapped>()

/** Registers `codec` as a stricter form of `inner`; `schema` describes the additional checks. */
const wrapping = <C extends t.Mixed>(inner: t.Mixed, schema: JsonSchema, codec: C): C => {
  wrapped.set(codec, { codec: inner, schema })
  return codec
}

/** The codec below one that wraps it. */
export const innerOf = (codec: t.Mixed): t.Mixed | undefined => wrapped.get(codec)?.codec
/** What a wrapping codec adds to the schema of the one below. */
export const addedSchemaOf = (codec: t.Mixed): JsonSchema => wrapped.get(codec)?.schema ?? {}

export const nullable = <C extends t.Mixed>(codec: C) => t.union([codec, t.null])

/**
 * The members that replace a value of a list or a history that is larger than 4 KiB and null for that reason: its size as
 * JSON text, in bytes, and the beginning of that text.
 */
export const cutBeside = <const Name extends string>(name: Name) =>
  t.partial({
    [`${name}Bytes`]: described(new t.NumberType(), {
      type: 'number',
      description: `Only if ${name} is larger than 4 KiB, and therefore null: its size as JSON text, in bytes`,
    }),
    [`${name}Preview`]: described(new t.StringType(), {
      type: 'string',
      description: `Only if ${name} is larger than 4 KiB, and therefore null: the beginning of its JSON text`,
    }),
  } as { readonly [N in Name as `${N}Bytes`]: t.NumberType } & { readonly [N in Name as `${N}Preview`]: t.StringType })
