import { InvalidInputError } from '../../application/shared/errors.ts'
import { booleanOf, domainOf, wholeOf } from '../../application/shared/input.ts'
import { OPERATIONS_DOMAIN } from '../../domain/operation/policy.ts'
import { buildOf } from './announcing/build.ts'
import { DEFAULT_TIMEOUT_MS, isTimeout, MAX_TIMEOUT_MS, type TimeoutMs } from './attempt/deadline.ts'
import { onlyPassingErrors } from './failures/passing-errors.ts'
import { graceOf } from './flow/unknown-types.ts'
import type { WorkerOptions } from './worker-api.ts'

/** Checks a worker's options and fills in defaults. @throws InvalidInputError */
export const settingsOf = (options: WorkerOptions) => {
  const domain = domainOf(options.domain)
  return {
    domain,
    concurrency: wholeOf(options.concurrency ?? 10, 'concurrency', 1, 1000),
    leaseMs: wholeOf(options.leaseSeconds ?? 30, 'leaseSeconds', 1, 43_200) * 1000,
    pollMs: wholeOf(options.pollMs ?? 500, 'pollMs', 1, 60_000),
    timeoutMs: timeoutOf(options.handlerTimeoutMs),
    longRunningMs: wholeOf(options.longRunningMs ?? 300_000, 'longRunningMs', 1, MAX_TIMEOUT_MS),
    graceMs: graceOf(options.onUnknownType),
    build: buildOf(options.build),
    adoptStrangers: booleanOf(options.adoptStrangers ?? false, 'adoptStrangers'),
    mapError: options.mapError ?? (domain === OPERATIONS_DOMAIN ? onlyPassingErrors : undefined),
  }
}

/** The deadline of a worker's stop, in milliseconds. @throws InvalidInputError */
export const stopDeadlineOf = (deadlineMs = 30_000): number => wholeOf(deadlineMs, 'deadlineMs', 0, MAX_TIMEOUT_MS)

const timeoutOf = (given: TimeoutMs | undefined): TimeoutMs => {
  if (given === undefined) return DEFAULT_TIMEOUT_MS
  if (isTimeout(given)) return given
  const range = `more than 0 and at most ${MAX_TIMEOUT_MS} ms, or null for no deadline`
  throw new InvalidInputError('handlerTimeoutMs', `must be ${range}`)
}
