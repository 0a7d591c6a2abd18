export const runStatuses = ['QUEUED', 'RUNNING', 'COMPLETED', 'COMPLETED_WITH_ERRORS', 'FAILED', 'CANCELLED'] as const

export type RunStatus = (typeof runStatuses)[number]

/** Workers may be at it, or will be. A cancelled run is not active, though jobs that were begun go on to their end. */
export const isActive = (status: RunStatus): boolean => status === 'QUEUED' || status === 'RUNNING'
