import { type Either, isLeft, isRight, left, right } from 'fp-ts/lib/Either.js'
import type { Adopted } from '../../domain/command/events.ts'
import {
  commandQueue,
  domainOfQueue,
  parseCommandId,
  parseCommandType,
  parseCorrelationId,
  parseQueueName,
} from '../../domain/command/names.ts'
import { otherPriorities } from '../../domain/flow/priority.ts'
import type { CommandToSend } from '../commands/send-command.ts'
import type { AdoptChoice } from '../ports/strangers.ts'
import { instantOf } from '../shared/input.ts'

/** A message of another program, on a queue of commands or kept. */
export interface FoundMessage {
  readonly queue: string
  readonly msgId: string
  /** How often others had read it. */
  readonly reads: number
  readonly body: unknown
}

/** The command that a message asks for. */
export interface AdoptedCommand {
  readonly domain: string
  readonly command: CommandToSend & { readonly commandId: string }
  readonly adopted: Adopted
}

type Members = { readonly [name: string]: unknown }

/**
 * Reads a message of another program as a command, or says why that is not possible. The id is the message's own if it is a
 * UUID; otherwise `newId`.
 */
export const readStranger = (
  { queue, msgId, reads, body }: FoundMessage,
  choice: AdoptChoice,
  newId: string,
): Either<string, AdoptedCommand> => {
  const domain = domainOfQueue(queue)
  if (domain === null) return left(`'${queue}' is not a queue of commands`)
  const members: Members = typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Members) : {}
  const { asNew = false } = choice
  if (!asNew && isGiven(members.domain) && members.domain !== domain)
    return left(`the message is for another domain than '${domain}': adopt it as new, or drop it`)
  const commandType = typeOf(members, choice)
  if (isLeft(commandType)) return commandType
  const replyTo = replyQueueOf(members, choice)
  if (isLeft(replyTo)) return replyTo
  const own = typeof members.command_id === 'string' && !asNew ? parseCommandId(members.command_id) : null
  const ownId = own !== null && isRight(own) ? own.right : null
  const correlationId = correlationOf(members, ownId === null)
  return right({
    domain,
    command: {
      commandId: ownId ?? newId,
      commandType: commandType.right,
      // what has no such member is the payload itself
      data: 'data' in members ? members.data : (body ?? null),
      ...(correlationId === null ? {} : { correlationId }),
      ...priorityOf(queue, domain),
      ...(replyTo.right === null ? {} : { replyTo: replyTo.right }),
      ...textMember(members, 'causation_id', 'causationId'),
      ...textMember(members, 'traceparent', 'traceparent'),
    },
    adopted: {
      queue,
      msgId,
      reads: Math.min(Math.max(0, reads), MAX_READS),
      ...createdAtOf(members.created_at),
      ...(ownId === null ? replaced('commandId', members.command_id) : {}),
      ...(correlationId === members.correlation_id ? {} : replaced('correlationId', members.correlation_id)),
    },
  })
}

/** Attempts are counted from here on, in a column with room for two thousand times as many. */
const MAX_READS = 1_000_000
const LONGEST = 200

/** Commands of another priority than normal have a queue of their own. */
const priorityOf = (queue: string, domain: string): Pick<CommandToSend, 'priority'> => {
  const other = otherPriorities.find(priority => commandQueue(domain, priority) === queue)
  return other === undefined ? {} : { priority: other }
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null

/** The type as the choice or the message has it. */
const typeOf = (members: Members, { commandType }: AdoptChoice): Either<string, string> => {
  const named = commandType ?? members.command_type ?? members.type
  if (typeof named !== 'string') return left('the message names no command type: say which')
  return parseCommandType(named)
}

const replyQueueOf = (members: Members, choice: AdoptChoice): Either<string, string | null> => {
  const named = choice.replyTo === undefined ? members.reply_to : choice.replyTo
  if (!isGiven(named) || named === '') return right(null)
  if (typeof named !== 'string') return left('its reply queue is not a text')
  const parsed = parseQueueName(named)
  if (isLeft(parsed)) return parsed
  return domainOfQueue(named) === null ? parsed : left(`'${named}' is a queue of commands, and not for replies`)
}

/** Its own; if its command id has to be replaced, replies can also be recognised by that. Null: the command's id. */
const correlationOf = (members: Members, isReplaced: boolean): string | null => {
  const candidates = [members.correlation_id, ...(isReplaced ? [members.command_id] : [])]
  const valid = candidates.find(one => typeof one === 'string' && isRight(parseCorrelationId(one)))
  return (valid as string | undefined) ?? null
}

const textMember = <To extends string>(members: Members, from: string, to: To): { readonly [T in To]?: string } => {
  const value = members[from]
  const fits = typeof value === 'string' && isRight(parseCorrelationId(value))
  return (fits ? { [to]: value } : {}) as { readonly [T in To]?: string }
}

const createdAtOf = (value: unknown): { readonly createdAt?: string } => {
  if (typeof value !== 'string') return {}
  try {
    return { createdAt: instantOf(value, 'created_at') }
  } catch {
    return {}
  }
}

const replaced = <Name extends string>(name: Name, value: unknown): { readonly [N in Name]?: string } => {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : null
  return (text === null || text === '' ? {} : { [name]: text.slice(0, LONGEST).toWellFormed() }) as {
    readonly [N in Name]?: string
  }
}
