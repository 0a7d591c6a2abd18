import { brandErrors } from '../shared/brand.ts'
import { CommandBusError } from '../shared/errors.ts'

/** The alert does not exist, or it belongs to another tenant. */
export class AlertNotFoundError extends CommandBusError {
  override readonly name = 'AlertNotFoundError'
  constructor(alert: string) {
    super('ALERT_NOT_FOUND', `no alert '${alert}'`)
  }
}

brandErrors({ AlertNotFoundError })
