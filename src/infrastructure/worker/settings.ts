import { InvalidInputError } from '../../application/shared/errors.ts'
import { domainOf } from '../../application/shared/input.ts'
import { OPERATIONS_DOMAIN } from '../../domain/operation/policy.ts'
import { DEFAULT_TIMEOUT_MS, isTimeout, MAX_TIMEOUT_MS, type TimeoutMs } from './attempt/deadline.ts'
import { onlyPassingErrors } from './failures/passing-errors.ts'
import type { WorkerOptions } from './worker-api.ts'

/** A worker's options, checked and with their defaults. @throws InvalidInputError */
export const settingsOf = (options: WorkerOptions) => {
  const domain = domainOf(options.domain)
  return {
    domain,
    concurrency: whole('concurrency', options.concurrency ?? 10, 1, 1000),
    leaseMs: whole('leaseSeconds', options.leaseSeconds ?? 30, 1, 43_200) * 1000,
    pollMs: whole('pollMs', options.pollMs ?? 500, 1, 60_000),
    timeoutMs: timeoutOf(options.handlerTimeoutMs),
    longRunningMs: whole('longRunningMs', options.longRunningMs ?? 300_000, 1, MAX_TIMEOUT_MS),
    mapError: options.mapError ?? (domain === OPERATIONS_DOMAIN ? onlyPassingErrors : undefined),
  }
}

/** Of a worker's stop, in milliseconds. @throws InvalidInputError */
export const stopDeadlineOf = (deadlineMs: number): number => whole('deadlineMs', deadlineMs, 0, MAX_TIMEOUT_MS)

const timeoutOf = (given: TimeoutMs | undefined): TimeoutMs => {
  if (given === undefined) return DEFAULT_TIMEOUT_MS
  if (isTimeout(given)) return given
  const range = `more than 0 and at most ${MAX_TIMEOUT_MS} ms, or null for no deadline`
  throw new InvalidInputError('handlerTimeoutMs', `must be ${range}`)
}

const whole = (field: string, value: number, min: number, max: number): number => {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new InvalidInputError(field, `must be a whole number from ${min} to ${max}, not ${value}`)
  }
  return value
}
