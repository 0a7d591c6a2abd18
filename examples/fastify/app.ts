import { isDeepStrictEqual } from 'node:util'
import { type CommandBus, commandIdFor, type DataOf, DuplicateCommandError, type Identity } from 'commandbus'
import { type FastifyInstance, type FastifyServerOptions, fastify } from 'fastify'
import { chargeCard } from './commands.ts'
import { answerErrors } from './errors.ts'
import { identify } from './identify.ts'

const { domain } = chargeCard

/** Routes that send commands, and tell what became of them. */
export const createApp = (bus: CommandBus, options: FastifyServerOptions = {}): FastifyInstance => {
  const app = fastify(options)
  app.setErrorHandler(answerErrors)
  app.decorateRequest('identity')
  app.addHook('preHandler', async (request, reply) => {
    const identity = identify(request)
    if (identity === null) return reply.code(401).send({ error: 'UNAUTHENTICATED', message: 'say who you are' })
    request.setDecorator('identity', identity)
  })

  app.post('/charges', async (request, reply) => {
    const identity = request.getDecorator<Identity>('identity')
    const key = request.headers['idempotency-key']
    if (typeof key !== 'string' || key.trim() === '') {
      return reply
        .code(400)
        .send({ error: 'NO_KEY', message: 'send an Idempotency-Key, the same one when you try again' })
    }
    // the same key of the same user is one command, however often the request comes
    const commandId = commandIdFor(identity.tenant, domain, JSON.stringify([identity.subject, key]))
    // checked by the schema of the command, as `checkOnSend` says
    const command = chargeCard(request.body as DataOf<typeof chargeCard>)
    try {
      await bus.as(identity).send(domain, { ...command, commandId })
    } catch (error) {
      if (!(error instanceof DuplicateCommandError)) throw error
      const { items } = await bus.getHistory(domain, commandId, { at: 0 })
      if (!isDeepStrictEqual(items[0]?.state?.data, command.data)) {
        return reply
          .code(422)
          .send({ error: 'KEY_REUSED', message: 'this Idempotency-Key came with another body before' })
      }
    }
    return reply.code(202).header('location', `/charges/${commandId}`).send({ id: commandId })
  })

  app.get<{ Params: { id: string } }>('/charges/:id', async request => {
    const caller = bus.as(request.getDecorator<Identity>('identity'))
    const { commandId, status, result, lastErrorCode, lastErrorMsg } = await caller.getCommand(
      domain,
      request.params.id,
    )
    // only an error that a business rule has thrown is meant for the caller
    const failed = status === 'FAILED' ? { error: lastErrorCode, message: lastErrorMsg } : {}
    return { id: commandId, status, result, ...failed }
  })

  return app
}
