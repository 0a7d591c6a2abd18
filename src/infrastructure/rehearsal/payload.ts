import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { type ParsedPayload, type PayloadSchema, parsePayload } from '../../application/payloads/payload-schema.ts'
import type { RehearsalAnswer, RehearsalRequest } from '../../application/ports/rehearsals.ts'
import type { HideValues } from '../../application/sensitive/hide-values.ts'
import type { CommandError } from '../../domain/command/events.ts'
import type { Json } from '../../domain/json/json.ts'
import { endsWithin } from '../shared/within.ts'
import { failure, failureOf, type MapError } from '../worker/failures/failures.ts'
import { codeOf } from '../worker/failures/thrown.ts'

/** How long a schema may take to check a payload that is about to be stored. */
const LONGEST_CHECK_MS = 10_000

/** Null: the schema did not answer in time. */
const parsedWithin = async (
  ms: number,
  schema: PayloadSchema<unknown>,
  data: Json,
  root?: string,
): Promise<ParsedPayload<unknown> | null> => {
  const begun = parsePayload(schema, data, root)
  if (!(begun instanceof Promise)) return begun
  let parsed: ParsedPayload<unknown> | null = null
  await endsWithin(ms, async () => {
    parsed = await begun
  })
  return parsed
}

/** What the schema of a handler finds wrong with a payload that is about to be stored. */
export const schemaFaults = async (schema: PayloadSchema<unknown>, data: Json): Promise<readonly string[]> => {
  try {
    const parsed = await parsedWithin(LONGEST_CHECK_MS, schema, data, 'data')
    if (parsed === null) return [`data: its schema did not answer within ${LONGEST_CHECK_MS} ms`]
    return isLeft(parsed) ? parsed.left : []
  } catch (thrown) {
    return [`data: its schema fails on it (${codeOf(thrown)})`]
  }
}

/** The payload as the handler receives it; left: how the attempt ends without it. */
export const decodedPayload = async (
  schema: PayloadSchema<unknown> | undefined,
  { command: { data }, deadlineMs }: RehearsalRequest,
  mapError: MapError | undefined,
  hide: HideValues,
): Promise<Either<RehearsalAnswer, unknown>> => {
  if (schema === undefined) return right(data)
  const began = performance.now()
  const took = (): number => Math.round(performance.now() - began)
  try {
    const parsed = await parsedWithin(deadlineMs, schema, data)
    if (parsed === null) {
      const message = `the schema of the payload did not answer within ${deadlineMs} ms`
      return left({ kind: 'timeout', message, durationMs: took() })
    }
    return isLeft(parsed)
      ? left(failedAtOnce('INVALID_PAYLOAD', `the payload does not fit: ${parsed.left.join('; ')}`, hide))
      : parsed
  } catch (thrown) {
    return left({ kind: 'failed', error: failureOf(thrown, mapError, hide), durationMs: took() })
  }
}

/** An attempt that ends before its handler begins. */
export const failedAtOnce = (type: CommandError['type'], message: string, hide: HideValues): RehearsalAnswer => ({
  kind: 'failed',
  error: failure(type, type, message, undefined, hide),
  durationMs: 0,
})
