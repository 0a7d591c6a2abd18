import { CommandBusError } from '../../../application/shared/errors.ts'
import type { CommandBus } from '../../../command-bus.ts'

/**
 * The domain the command is in, when the user named none.
 * @throws CommandBusError COMMAND_NOT_FOUND, or AMBIGUOUS_COMMAND with the domains to choose from
 */
export const whichDomain = async (bus: CommandBus, commandId: string, named: string | undefined): Promise<string> => {
  if (named !== undefined) return named
  const found = await bus.findCommand(commandId)
  const [only] = found
  if (only === undefined)
    throw new CommandBusError(
      'COMMAND_NOT_FOUND',
      `no command ${commandId} in any domain; if it was archived, \`commandbus archive --find ${commandId}\` says where`,
    )
  if (found.length > 1) {
    const domains = found.map(command => command.domain).sort()
    throw new CommandBusError(
      'AMBIGUOUS_COMMAND',
      `command ${commandId} is in several domains (${domains.join(', ')}): name one with --domain`,
    )
  }
  return only.domain
}
