import { CommandBusError, InvalidPayloadError } from 'commandbus'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** What a caller can correct, and what passes by itself; anything else is a fault of the program. */
const statusOf: { readonly [code: string]: number } = {
  INVALID_REQUEST: 422,
  FORBIDDEN: 403,
  COMMAND_NOT_FOUND: 404,
  COMMAND_ID_TAKEN: 409,
  UNAVAILABLE: 503,
}

/** Errors of the bus as answers: their messages are made for people, and have no values of payloads. */
export const answerErrors = (error: FastifyError, _: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const status = error instanceof CommandBusError ? statusOf[error.code] : undefined
  if (status === undefined) return reply.send(error)
  const faults = error instanceof InvalidPayloadError ? { faults: error.faults } : {}
  return reply.code(status).send({ error: error.code, message: error.message, ...faults })
}
