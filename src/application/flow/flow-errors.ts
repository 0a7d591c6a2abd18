import type { PauseFacts } from '../../domain/flow/pause/pause.ts'
import { brandErrors } from '../shared/brand.ts'
import { CommandBusError } from '../shared/errors.ts'

/** There is no such pause, or it belongs to another tenant. */
export class PauseNotFoundError extends CommandBusError {
  override readonly name = 'PauseNotFoundError'
  constructor(pauseId: string) {
    super('NOT_FOUND', `no pause ${pauseId}`)
  }
}

/** Exactly this is paused already. Nothing was done. */
export class AlreadyPausedError extends CommandBusError {
  override readonly name = 'AlreadyPausedError'
  readonly pauseId: string
  constructor(pauseId: string, { domain, commandType, tenantId, actor, at, until }: PauseFacts) {
    const what = [
      `domain '${domain}'`,
      ...(commandType === null ? [] : [`type '${commandType}'`]),
      ...(tenantId === null ? [] : [`tenant '${tenantId}'`]),
    ].join(', ')
    const end = until === null ? '' : ` until ${until}`
    super('CONFLICT', `${what} is paused already, by '${actor}' since ${at}${end}: resume pause ${pauseId} first`)
    this.pauseId = pauseId
  }
}

/** There is no such rule. */
export class LimitNotFoundError extends CommandBusError {
  override readonly name = 'LimitNotFoundError'
  constructor(domain: string, name: string) {
    super('NOT_FOUND', `domain '${domain}' has no limit '${name}'`)
  }
}

brandErrors({ PauseNotFoundError, AlreadyPausedError, LimitNotFoundError })
