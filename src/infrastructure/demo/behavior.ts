import { setTimeout as delay } from 'node:timers/promises'
import { isLeft } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import {
  BusinessRuleError,
  PermanentCommandError,
  TransientCommandError,
} from '../../application/commands/command-errors.ts'
import { faultsOf } from '../../application/payloads/faults.ts'
import type { Json } from '../../domain/json/json.ts'
import { json } from '../codec/json.ts'

const LONGEST_MS = 3_600_000

const wholeUpTo = (max: number) =>
  new t.Type<number, number, unknown>(
    `a whole number from 0 to ${max}`,
    (value): value is number => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max,
    (value, context) =>
      Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max
        ? t.success(value as number)
        : t.failure(value, context),
    value => value,
  )

/** What a demo command does. All members are optional; without any it completes at once. */
export const behavior = t.partial({
  failTransientTimes: wholeUpTo(1_000_000),
  permanent: t.boolean,
  businessRule: t.boolean,
  crash: t.boolean,
  durationMs: wholeUpTo(LONGEST_MS),
  errorCode: t.string,
  errorMessage: t.string,
  result: json,
})

export type Behavior = t.TypeOf<typeof behavior>

/** The `behavior` member of a payload; {} if it is missing. @throws PermanentCommandError INVALID_BEHAVIOR */
export const behaviorOf = (payload: Json): Behavior => {
  const given = typeof payload === 'object' && payload !== null && 'behavior' in payload ? payload.behavior : undefined
  const decoded = behavior.decode(given ?? {})
  if (isLeft(decoded)) throw new PermanentCommandError('INVALID_BEHAVIOR', faultsOf(decoded.left).join('; '))
  return decoded.right
}

export interface Attempt {
  /** Attempts of the command's whole life, including this one. */
  readonly totalAttempts: number
  readonly signal: AbortSignal
}

/** Carries a behavior out: the same behavior and attempt always end in the same way. */
export const behave = async (wanted: Behavior, { totalAttempts, signal }: Attempt): Promise<Json> => {
  const { failTransientTimes = 0, durationMs = 0, errorCode, errorMessage } = wanted
  if (durationMs > 0) {
    await delay(durationMs, undefined, { signal }).catch(() => {
      throw new TransientCommandError('INTERRUPTED', 'the demo handler was stopped before its time was over')
    })
  }
  if (totalAttempts <= failTransientTimes) {
    throw new TransientCommandError(
      errorCode ?? 'DEMO_TRANSIENT',
      errorMessage ?? `attempt ${totalAttempts} fails, as the first ${failTransientTimes} do`,
    )
  }
  if (wanted.crash === true) process.kill(process.pid, 'SIGKILL')
  if (wanted.permanent === true) {
    throw new PermanentCommandError(errorCode ?? 'DEMO_PERMANENT', errorMessage ?? 'this never works as it is')
  }
  if (wanted.businessRule === true) {
    throw new BusinessRuleError(errorCode ?? 'DEMO_BUSINESS_RULE', errorMessage ?? 'the business says no')
  }
  return wanted.result === undefined ? { ok: true } : wanted.result
}

/** Handles the files of a batch one after the other; the result names those that fail. */
export const behaveBatch = async (files: Json, attempt: Attempt): Promise<Json> => {
  const results: Json[] = []
  for (const file of Array.isArray(files) ? (files as readonly Json[]) : []) {
    const { index = null, input = null } = (file ?? {}) as { readonly index?: Json; readonly input?: Json }
    try {
      await behave(behaviorOf(input), attempt)
      results.push({ index, status: 'completed' })
    } catch (error) {
      const status = error instanceof TransientCommandError ? 'failed' : 'error'
      const { code, message } = error as TransientCommandError
      results.push({ index, status, errorCode: code ?? null, errorMessage: message })
    }
  }
  return { files: results }
}
