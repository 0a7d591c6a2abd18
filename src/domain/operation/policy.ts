import type { RetryPolicy } from '../command/retry-policy.ts'

/** Operations are the commands of this domain. */
export const OPERATIONS_DOMAIN = 'operations'

/** Three automatic retries after 1, 2 and 4 seconds, each up to 10 % longer at random; then the user decides. */
export const operationPolicy: RetryPolicy = {
  maxAttempts: 4,
  backoffSeconds: [1, 2, 4],
  jitter: 0.1,
  onExhausted: 'fail',
}

/** Default limit of retries by hand in one chain. */
export const DEFAULT_MAX_RETRIES = 20
