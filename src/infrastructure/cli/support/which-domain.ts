import { CommandBusError, InvalidInputError } from '../../../application/shared/errors.ts'
import type { CommandBus } from '../../../command-bus.ts'
import { isUuid } from '../../../domain/uuid.ts'

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

const NO_ID = '00000000-0000-0000-0000-000000000000'
const MOST_NAMED = 5

/** A command id, or its beginning, as people type it. @throws InvalidInputError */
export const idOrBeginning = (given: string): string => {
  const text = given.toLowerCase()
  if (text.length >= 8 && text.length <= NO_ID.length && isUuid(text + NO_ID.slice(text.length))) return text
  throw new InvalidInputError('id', `'${given}' is not a command id: use a UUID, or its first 8 characters or more`)
}

/**
 * The id that begins so; a whole id stays as it is.
 * @throws CommandBusError COMMAND_NOT_FOUND, or AMBIGUOUS_COMMAND with ids to choose from
 */
export const wholeId = async (bus: CommandBus, beginning: string, domain: string | undefined): Promise<string> => {
  if (isUuid(beginning)) return beginning
  const of = domain === undefined ? {} : { domain }
  const { items } = await bus.queryCommands({ idPrefix: beginning, ...of, limit: MOST_NAMED + 1 })
  const ids = [...new Set(items.map(({ commandId }) => commandId))]
  const [only] = ids
  if (only === undefined)
    throw new CommandBusError(
      'COMMAND_NOT_FOUND',
      `no command${domain === undefined ? '' : ` of ${domain}`} has an id that begins with ${beginning}`,
    )
  if (ids.length === 1) return only
  const named = [...ids.slice(0, MOST_NAMED), ...(ids.length > MOST_NAMED ? ['others'] : [])].join(', ')
  throw new CommandBusError('AMBIGUOUS_COMMAND', `several ids begin with ${beginning}: ${named}`)
}
