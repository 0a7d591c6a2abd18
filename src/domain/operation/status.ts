import type { CommandStatus } from '../command/transitions.ts'

/** An operation's progress, as a user sees it. */
export type OperationStatus = 'pending' | 'processing' | 'completed' | 'failed'

export const operationStatuses: readonly OperationStatus[] = ['pending', 'processing', 'completed', 'failed']

/** An operation that waits for its next automatic attempt is `processing`. */
export const operationStatus = (status: CommandStatus, totalAttempts: number): OperationStatus => {
  switch (status) {
    case 'PENDING':
      return totalAttempts === 0 ? 'pending' : 'processing'
    case 'IN_PROGRESS':
      return 'processing'
    case 'COMPLETED':
      return 'completed'
    case 'FAILED':
    case 'CANCELED':
    case 'IN_TROUBLESHOOTING_QUEUE':
      return 'failed'
  }
}
