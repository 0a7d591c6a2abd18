import type { CreditsRejection } from '../../domain/credits/rejections.ts'
import type { RunRejection } from '../../domain/workflow-run/rejections.ts'
import { brandErrors } from '../shared/brand.ts'
import { CommandBusError, ContentionError, InvalidInputError, InvalidOperationError } from '../shared/errors.ts'

/** There is no workflow run with this id, or it belongs to another tenant. */
export class RunNotFoundError extends CommandBusError {
  override readonly name = 'RunNotFoundError'
  constructor(runId: string) {
    super('RUN_NOT_FOUND', `no workflow run ${runId}`)
  }
}

/** There is no workflow template with this id, or it belongs to another tenant. */
export class TemplateNotFoundError extends CommandBusError {
  override readonly name = 'TemplateNotFoundError'
  constructor(templateId: string) {
    super('NOT_FOUND', `no workflow template ${templateId}`)
  }
}

/** The run is queued or running: wait until it has ended. */
export class AlreadyRunningError extends CommandBusError {
  override readonly name = 'AlreadyRunningError'
  constructor(message: string) {
    super('ALREADY_RUNNING', message)
  }
}

/** The run's state allows no retry. */
export class RunNotRetriableError extends CommandBusError {
  override readonly name = 'RunNotRetriableError'
  /** The reason, in one word. */
  readonly reason: string
  constructor(reason: string, message: string) {
    super('INVALID_REQUEST', message)
    this.reason = reason
  }
}

/** The tenant has fewer credits than the run needs. Nothing was charged. */
export class InsufficientCreditsError extends CommandBusError {
  override readonly name = 'InsufficientCreditsError'
  readonly needed: number
  readonly available: number
  constructor(needed: number, available: number) {
    super(
      'INSUFFICIENT_CREDITS',
      `this needs ${needed} credits and ${available} are left: ask for a grant, or try with fewer files`,
    )
    this.needed = needed
    this.available = available
  }
}

/** Another grant has this id. */
export class GrantConflictError extends CommandBusError {
  override readonly name = 'GrantConflictError'
  constructor(before: { readonly grantId: string; readonly pool: string; readonly amount: number }) {
    super(
      'CONFLICT',
      `grant ${before.grantId} was made before, of ${before.amount} ${before.pool} credits: repeat it as it was, or use a new grantId`,
    )
  }
}

brandErrors({
  GrantConflictError,
  RunNotFoundError,
  TemplateNotFoundError,
  AlreadyRunningError,
  RunNotRetriableError,
  InsufficientCreditsError,
})

/** The public error for a refusal of a run. */
export const runRefusal = (runId: string, rejection: RunRejection): CommandBusError => {
  switch (rejection.type) {
    case 'NotFound':
      return new RunNotFoundError(runId)
    case 'AlreadyRunning':
      return new AlreadyRunningError(`workflow run ${runId} is ${rejection.status}: wait until it has ended`)
    case 'AlreadyCompleted':
      return new RunNotRetriableError('COMPLETED', 'the run is completed: there is nothing to retry')
    case 'AlreadyCancelled':
      return new RunNotRetriableError('CANCELLED', 'the run was cancelled: start a new one')
    case 'NothingToRetry':
      return new RunNotRetriableError(
        'NOTHING_TO_RETRY',
        'the run has no failed or pending files: errors are permanent and are not retried',
      )
    case 'MaxRetriesExceeded':
      return new RunNotRetriableError('MAX_RETRY_COUNT', 'Max retry count exceeded for one or more files')
    case 'NoFiles':
      return new InvalidInputError('files', 'must name at least one file')
    case 'NotRunning':
      return new InvalidOperationError(`workflow run ${runId} is ${rejection.status}: it is over`, rejection.status)
    case 'AlreadyThere':
      return new InvalidOperationError(`there is a workflow run ${runId} already`, 'QUEUED')
    case 'ChargeDoesNotFit':
    case 'ChargeAbandoned':
    case 'ChargeInUse':
      return new ContentionError(`workflow run ${runId}`)
  }
}

export const creditsRefusal = (rejection: CreditsRejection): CommandBusError => {
  switch (rejection.type) {
    case 'InsufficientCredits':
      return new InsufficientCreditsError(rejection.needed, rejection.available)
    case 'NotAnAmount':
      return new InvalidInputError('amount', 'must be a whole number of at least 1')
    case 'TooMuch':
      return new InvalidInputError('amount', 'is too large: the balance could no longer be counted exactly')
    case 'GrantDiffers':
      return new GrantConflictError(rejection)
    case 'UnknownCharge':
      return new InvalidOperationError(`there is no charge ${rejection.chargeId}`, 'NONE')
  }
}
