import { isLeft } from 'fp-ts/lib/Either.js'
import type { Outcome } from '../../../application/commands/attempt-turns.ts'
import type { HideValues } from '../../../application/sensitive/hide-values.ts'
import { parseSizedJson } from '../../../application/shared/json.ts'
import { failure, failureOf, type MapError } from '../failures/failures.ts'

const RESULT = { root: 'result', before: 'returning' } as const

/** The outcome of a handler that returned `result`. */
export const successOf = (result: unknown): Outcome => {
  const parsed = parseSizedJson(result ?? null, RESULT)
  return isLeft(parsed)
    ? {
        kind: 'failure',
        error: failure('PERMANENT', 'INVALID_RESULT', `the handler's result cannot be stored: ${parsed.left}`),
      }
    : { kind: 'success', result: parsed.right.json, bytes: parsed.right.bytes }
}

/** The outcome of an attempt that failed with `thrown`. */
export const failedWith = (thrown: unknown, mapError: MapError | undefined, hide: HideValues): Outcome => ({
  kind: 'failure',
  error: failureOf(thrown, mapError, hide),
})

/** The outcome of an attempt whose handler cannot begin. */
export const refused = (type: 'NO_HANDLER' | 'INVALID_PAYLOAD', message: string, hide: HideValues): Outcome => ({
  kind: 'failure',
  error: failure(type, type, message, undefined, hide),
})

/** The outcome without the parts that are too large for the log. */
export const withoutSize = (outcome: Outcome): Outcome => {
  if (outcome.kind === 'failure') {
    const details = 'details were left out: they are larger than the log takes in one append'
    return { kind: 'failure', error: { ...outcome.error, details } }
  }
  const message = "the handler's result cannot be stored: it is larger than the log takes in one append"
  return { kind: 'failure', error: failure('PERMANENT', 'INVALID_RESULT', message) }
}
