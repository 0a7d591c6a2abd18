import { brandErrors } from '../shared/brand.ts'
import { CommandBusError } from '../shared/errors.ts'

/** There is no schedule of this name, or it belongs to another tenant. */
export class ScheduleNotFoundError extends CommandBusError {
  override readonly name = 'ScheduleNotFoundError'
  constructor(schedule: string) {
    super('SCHEDULE_NOT_FOUND', `no schedule '${schedule}'`)
  }
}

/** Another tenant has a schedule of this name. */
export class ScheduleNameTakenError extends CommandBusError {
  override readonly name = 'ScheduleNameTakenError'
  constructor(schedule: string) {
    super('SCHEDULE_NAME_TAKEN', `the name '${schedule}' belongs to a schedule of another tenant: take another name`)
  }
}

brandErrors({ ScheduleNotFoundError, ScheduleNameTakenError })
