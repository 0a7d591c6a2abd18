import { type Either, left, right } from 'fp-ts/lib/Either.js'
import type { RetriedFile } from './events.ts'
import type { RunRejection } from './rejections.ts'
import type { RunState } from './state.ts'
import { isActive } from './status.ts'

/** What a retry would do now. */
export interface RetryPlan {
  readonly files: readonly RetriedFile[]
  readonly failed: number
  /** Files that an internal failure left without an outcome: paid for already, unless the whole run was refunded. */
  readonly pending: number
  readonly credits: number
}

/** Which files a retry includes and what it costs, or why there is none. */
export const planRetry = (run: RunState): Either<RunRejection, RetryPlan> => {
  if (run.status === 'NONE') return left({ type: 'NotFound' })
  if (isActive(run.status)) return left({ type: 'AlreadyRunning', status: run.status })
  if (run.status === 'COMPLETED') return left({ type: 'AlreadyCompleted' })
  if (run.status === 'CANCELLED') return left({ type: 'AlreadyCancelled' })
  const chosen = run.files.flatMap((file, index) =>
    file.status === 'failed' || file.status === 'pending' ? [{ index, ...file }] : [],
  )
  if (chosen.length === 0) return left({ type: 'NothingToRetry' })
  // a pending file's last retry has not had an outcome, however often it was interrupted
  if (chosen.some(({ status, retryAttempt }) => status === 'failed' && retryAttempt >= run.maxRetryCount)) {
    return left({ type: 'MaxRetriesExceeded', max: run.maxRetryCount })
  }
  // a run without a completed file was refunded whole: its files are paid for again
  const givenBack = run.status === 'FAILED'
  const files = chosen.map(
    ({ index, status, retryAttempt }): RetriedFile => ({
      index,
      charged: givenBack || status === 'failed',
      retryAttempt: retryAttempt + (status === 'failed' ? 1 : 0),
    }),
  )
  const failed = chosen.filter(({ status }) => status === 'failed').length
  return right({
    files,
    failed,
    pending: files.length - failed,
    credits: run.testRun ? 0 : files.filter(({ charged }) => charged).length * run.creditsPerRun,
  })
}
