export const runStatuses = ['QUEUED', 'RUNNING', 'COMPLETED', 'COMPLETED_WITH_ERRORS', 'FAILED', 'CANCELLED'] as const

export type RunStatus = (typeof runStatuses)[number]

/** Jobs may be running or queued. A cancelled run is not active, although jobs that have begun run to their end. */
export const isActive = (status: RunStatus): boolean => status === 'QUEUED' || status === 'RUNNING'
