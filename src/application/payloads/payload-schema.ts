import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { Decoder } from 'io-ts'
import { faultsOf } from './faults.ts'
import { issueFaults } from './issues.ts'
import { isStandardSchema, type StandardAnswer, type StandardSchema } from './standard-schema.ts'

/** What a payload is checked by: an io-ts codec, or a schema of zod, valibot, arktype and others. */
export type PayloadSchema<Output> = Decoder<unknown, Output> | StandardSchema<unknown, Output>

/** What a sender gives: the input of a Standard Schema, or what an io-ts codec encodes to. */
export type InputOf<Schema> = Schema extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly input: infer Input }
    ? Input
    : unknown
  : Schema extends { readonly _O: infer Encoded }
    ? Encoded
    : unknown

/** What a handler receives. */
export type OutputOf<Schema> = Schema extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly output: infer Output }
    ? Output
    : unknown
  : Schema extends Decoder<unknown, infer Output>
    ? Output
    : unknown

/** The payload as its handler receives it, or what is wrong with it: a sentence with the path each, without values. */
export type ParsedPayload<Output> = Either<readonly string[], Output>

/**
 * Checks a payload, at once or in a promise, as the schema answers. `root` begins the paths of the faults. A schema that fails
 * itself throws or rejects.
 */
export const parsePayload = <Output>(
  schema: PayloadSchema<Output>,
  data: unknown,
  root = '',
): ParsedPayload<Output> | Promise<ParsedPayload<Output>> => {
  if (!isStandardSchema(schema)) {
    const decoded = schema.decode(data)
    return isLeft(decoded) ? left(faultsOf(decoded.left, root)) : decoded
  }
  const answer = schema['~standard'].validate(data)
  const parsed = (given: StandardAnswer<unknown>) => answered(given, data, root) as ParsedPayload<Output>
  return isPromise(answer) ? Promise.resolve(answer).then(parsed) : parsed(answer)
}

const isPromise = (answer: unknown): answer is Promise<StandardAnswer<unknown>> =>
  typeof (answer as Partial<Promise<unknown>> | null | undefined)?.then === 'function'

const answered = (answer: StandardAnswer<unknown>, data: unknown, root: string): ParsedPayload<unknown> => {
  if (answer?.issues) return left(issueFaults(answer.issues, data, root))
  if (typeof answer === 'object' && answer !== null && 'value' in answer) return right(answer.value)
  throw new TypeError('the schema has answered neither with a value nor with issues')
}

/** What is wrong with a schema, checked where it is given; null: nothing. */
export const schemaFault = (schema: unknown): string | null => {
  if (isStandardSchema(schema)) {
    const { version, validate } = schema['~standard'] ?? {}
    return version === 1 && typeof validate === 'function' ? null : 'must be a Standard Schema of version 1'
  }
  return typeof (schema as { readonly decode?: unknown } | null)?.decode === 'function'
    ? null
    : 'must be an io-ts codec, a Standard Schema (zod 3.24, valibot 1, arktype 2 or newer), or have a `decode` that returns an Either'
}
