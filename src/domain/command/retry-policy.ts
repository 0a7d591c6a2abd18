/** What happens when the last attempt fails: `park` waits for an operator, `fail` ends the command as FAILED with a reply. */
export type OnExhausted = 'park' | 'fail'

export interface RetryPolicy {
  /** Attempts in all, with the first one: 1-100. */
  readonly maxAttempts: number
  /** Waits in seconds after the first, second, ... failed attempt; the last one repeats. At least one. */
  readonly backoffSeconds: readonly number[]
  /** How much longer a wait may be, at random: 0-1; 0.1 means up to 10 %. */
  readonly jitter: number
  readonly onExhausted: OnExhausted
}

export const defaultRetryPolicy: RetryPolicy = {
  maxAttempts: 3,
  backoffSeconds: [10, 60, 300],
  jitter: 0,
  onExhausted: 'park',
}

/**
 * The wait before the attempt that follows failed attempt number `attempt` (counted from 1), in milliseconds.
 *
 * The caller draws `random` in [0, 1), so that the policy stays pure. It moves the wait between `base` and
 * `base * (1 + jitter)`.
 */
export const waitAfter = (policy: RetryPolicy, attempt: number, random: number): number => {
  const index = Math.min(Math.max(attempt, 1), policy.backoffSeconds.length) - 1
  const base = policy.backoffSeconds[index] ?? 0
  return Math.round(base * 1000 * (1 + policy.jitter * random))
}

/** The faults of a policy, one sentence each; empty: it is valid. */
export const policyFaults = (policy: RetryPolicy): readonly string[] => [
  ...(Number.isInteger(policy.maxAttempts) && policy.maxAttempts >= 1 && policy.maxAttempts <= 100
    ? []
    : [`maxAttempts must be a whole number from 1 to 100, not ${policy.maxAttempts}`]),
  ...waitFaults(policy.backoffSeconds),
  ...(typeof policy.jitter === 'number' && policy.jitter >= 0 && policy.jitter <= 1
    ? []
    : [`jitter must be from 0 to 1, not ${policy.jitter}`]),
  ...(policy.onExhausted === 'park' || policy.onExhausted === 'fail'
    ? []
    : [`onExhausted must be 'park' or 'fail', not ${String(policy.onExhausted).slice(0, 80)}`]),
]

const waitFaults = (waits: readonly number[]): readonly string[] => {
  if (!Array.isArray(waits)) return ['backoffSeconds must be a list of waits in seconds']
  if (waits.length === 0) return ['backoffSeconds must name at least one wait']
  return waits.every(s => Number.isFinite(s) && s >= 0 && s <= MAX_WAIT_SECONDS)
    ? []
    : [`backoffSeconds must be waits from 0 to ${MAX_WAIT_SECONDS} seconds, not [${waits.join(', ')}]`]
}

/** Thirty days: a longer wait is a schedule, not a retry. */
export const MAX_WAIT_SECONDS = 2_592_000
