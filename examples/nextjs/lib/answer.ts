import { CommandBusError, type Identity, InvalidPayloadError } from 'commandbus'

/** What a caller can correct, and what passes by itself; anything else is a fault of the program: 500, and in the log. */
const statusOf: { readonly [code: string]: number } = {
  INVALID_REQUEST: 422,
  FORBIDDEN: 403,
  COMMAND_NOT_FOUND: 404,
  COMMAND_ID_TAKEN: 409,
  UNAVAILABLE: 503,
}

/**
 * Who calls. Here headers say it, as a gateway in front would set them: put your own authentication in this place. `SENDER` may
 * send commands and read them; the bus keeps each caller within its tenant.
 */
const identify = ({ headers }: Request): Identity | null => {
  const [subject, tenant] = [headers.get('x-user'), headers.get('x-tenant')]
  return subject && tenant ? { subject, tenant, roles: ['SENDER'] } : null
}

/** Runs a route for its caller. Errors of the bus are answers: their messages are made for people, and have no values of payloads. */
export const answer = async (request: Request, route: (caller: Identity) => Promise<Response>): Promise<Response> => {
  const caller = identify(request)
  if (caller === null) return Response.json({ error: 'UNAUTHENTICATED', message: 'say who you are' }, { status: 401 })
  try {
    return await route(caller)
  } catch (error) {
    const status = error instanceof CommandBusError ? statusOf[error.code] : undefined
    if (!(error instanceof CommandBusError) || status === undefined) throw error
    const faults = error instanceof InvalidPayloadError ? { faults: error.faults } : {}
    return Response.json({ error: error.code, message: error.message, ...faults }, { status })
  }
}
