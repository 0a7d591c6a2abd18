import { type ArgumentsHost, Catch } from '@nestjs/common'
import { BaseExceptionFilter } from '@nestjs/core'
import { CommandBusError, InvalidPayloadError } from 'commandbus'
import type { Response } from 'express'

/** What a caller can correct, and what passes by itself; anything else is a fault of the program: 500, and in the log. */
const statusOf: { readonly [code: string]: number } = {
  INVALID_REQUEST: 422,
  FORBIDDEN: 403,
  COMMAND_NOT_FOUND: 404,
  COMMAND_ID_TAKEN: 409,
  UNAVAILABLE: 503,
}

/** Errors of the bus as answers: their messages are made for people, and have no values of payloads. */
@Catch(CommandBusError)
export class BusErrorFilter extends BaseExceptionFilter {
  override catch(error: CommandBusError, host: ArgumentsHost) {
    const status = statusOf[error.code]
    if (status === undefined) return super.catch(error, host)
    const faults = error instanceof InvalidPayloadError ? { faults: error.faults } : {}
    host
      .switchToHttp()
      .getResponse<Response>()
      .status(status)
      .json({ error: error.code, message: error.message, ...faults })
  }
}
