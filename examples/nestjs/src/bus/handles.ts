import { DiscoveryService } from '@nestjs/core'
import type { AnyCommand, HandlerContext } from 'commandbus'

export interface CommandHandler<Data> {
  handle(data: Data, context: HandlerContext<unknown>): unknown
}

export const Handled = DiscoveryService.createDecorator<AnyCommand>()

/** `@Handles(chargeCard)` on a provider: it handles this command. The compiler compares its `handle` with the command's payload. */
export const Handles =
  <Data>(command: AnyCommand<Data>) =>
  (target: new (...args: never[]) => CommandHandler<Data>): void => {
    Handled(command)(target)
  }
