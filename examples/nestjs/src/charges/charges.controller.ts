import { Body, Controller, Get, HttpCode, Param, Put } from '@nestjs/common'
import { type CommandBus, type DataOf, DuplicateCommandError, type Identity } from 'commandbus'
import { InjectBus } from '../bus/inject-bus.js'
import { Caller } from './caller.js'
import { chargeCard } from './charge-card.js'

const { domain } = chargeCard

@Controller('charges')
export class ChargesController {
  constructor(@InjectBus() private readonly bus: CommandBus) {}

  /** The client makes the id, a UUID: however often the request comes, there is one command. */
  @Put(':id')
  @HttpCode(202)
  async charge(@Caller() caller: Identity, @Param('id') id: string, @Body() body: DataOf<typeof chargeCard>) {
    try {
      // checked by the schema of the command, as `checkOnSend` says
      await this.bus.as(caller).send(domain, { ...chargeCard(body), commandId: id })
    } catch (error) {
      if (!(error instanceof DuplicateCommandError)) throw error
    }
    return { id }
  }

  @Get(':id')
  async read(@Caller() caller: Identity, @Param('id') commandId: string) {
    const { status, result, lastErrorCode, lastErrorMsg } = await this.bus.as(caller).getCommand(domain, commandId)
    // only an error that a business rule has thrown is meant for the caller
    const failed = status === 'FAILED' ? { error: lastErrorCode, message: lastErrorMsg } : {}
    return { id: commandId, status, result, ...failed }
  }
}
