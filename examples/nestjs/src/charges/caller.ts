import { createParamDecorator, type ExecutionContext, UnauthorizedException } from '@nestjs/common'
import type { Identity } from 'commandbus'
import type { Request } from 'express'

/**
 * Who calls. Here headers say it, as a gateway in front would set them: put your own authentication in this place. `SENDER` may
 * send commands and read them; the bus keeps each caller within its tenant.
 */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Identity => {
  const { headers } = context.switchToHttp().getRequest<Request>()
  const { 'x-user': subject, 'x-tenant': tenant } = headers
  if (typeof subject !== 'string' || typeof tenant !== 'string') throw new UnauthorizedException('say who you are')
  return { subject, tenant, roles: ['SENDER'] }
})
