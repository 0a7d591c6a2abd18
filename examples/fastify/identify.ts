import type { Identity } from 'commandbus'
import type { FastifyRequest } from 'fastify'

/**
 * Who calls. Here headers say it, as a gateway in front would set them: put your own authentication in this place. `SENDER` may
 * send commands and read them; the bus keeps each caller within its tenant.
 */
export const identify = ({ headers }: FastifyRequest): Identity | null => {
  const { 'x-user': subject, 'x-tenant': tenant } = headers
  return typeof subject === 'string' && typeof tenant === 'string' ? { subject, tenant, roles: ['SENDER'] } : null
}
