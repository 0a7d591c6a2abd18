import { DuplicateCommandError } from 'commandbus'
import { answer } from '../../../../lib/answer.ts'
import { bus } from '../../../../lib/bus.ts'
import { chargeCard } from '../../../../lib/charge-card.ts'

const { domain } = chargeCard

interface Context {
  readonly params: Promise<{ id: string }>
}

/** The client makes the id, a UUID: however often the request comes, there is one command. */
export const PUT = (request: Request, { params }: Context): Promise<Response> =>
  answer(request, async caller => {
    const { id } = await params
    try {
      // checked by the schema of the command, as `checkOnSend` says; so is a body that is not JSON
      const command = chargeCard(await request.json().catch(() => null))
      await bus()
        .as(caller)
        .send(domain, { ...command, commandId: id })
    } catch (error) {
      if (!(error instanceof DuplicateCommandError)) throw error
    }
    return Response.json({ id }, { status: 202 })
  })

export const GET = (request: Request, { params }: Context): Promise<Response> =>
  answer(request, async caller => {
    const { id } = await params
    const { status, result, lastErrorCode, lastErrorMsg } = await bus().as(caller).getCommand(domain, id)
    // only an error that a business rule has thrown is meant for the caller
    const failed = status === 'FAILED' ? { error: lastErrorCode, message: lastErrorMsg } : {}
    return Response.json({ id, status, result, ...failed })
  })
