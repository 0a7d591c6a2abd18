import { type Either, left, right } from 'fp-ts/lib/Either.js'
import { type OtherPriority, otherPriorities, type Priority, priorities } from '../flow/priority.ts'
import { isUuid } from '../uuid.ts'
import type { CommandKey } from './events.ts'

/** pgmq's own limit for the name of a queue. */
export const MAX_QUEUE_NAME = 47
const SUFFIX = '__commands'

const DOMAIN = /^[a-z][a-z0-9]*([._-][a-z0-9]+)*$/
const QUEUE = /^[a-z_](?:[a-z0-9_]|-(?!-))*$/
/** Ends of names that PostgreSQL gives to the indexes, sequences and constraints of a queue's table. */
const OF_A_TABLE = /_(vt_idx|pkey|msg_id_seq|msg_id_not_null)\d*$/
const COMMAND_TYPE = /^[A-Za-z][A-Za-z0-9_.:-]{0,127}$/

/**
 * A domain's name: lower-case letters and digits, joined by single `.`, `_` or `-`, starting with a letter. A queue's name
 * has `__` for each dot; as separators are single, `a.b` and `a_b` have different queues.
 */
export const parseDomain = (text: string): Either<string, string> => {
  if (!DOMAIN.test(text)) {
    return left(
      `'${clip(text)}' is not a valid domain name: use lower-case letters and digits joined by single '.', '_' or '-', starting with a letter`,
    )
  }
  const queue = commandQueue(text)
  return queue.length > MAX_QUEUE_NAME
    ? left(
        `domain '${clip(text)}' is too long: its queue '${queue}' has ${queue.length} characters and pgmq allows ${MAX_QUEUE_NAME}`,
      )
    : right(text)
}

/**
 * A queue's name: one that pgmq neither changes (it folds upper case) nor refuses (it reads `--` as a comment), and that is
 * not the name of another queue's index.
 */
export const parseQueueName = (text: string): Either<string, string> => {
  if (text.length > MAX_QUEUE_NAME) {
    return left(`queue '${clip(text)}' has ${text.length} characters and pgmq allows ${MAX_QUEUE_NAME}`)
  }
  if (OF_A_TABLE.test(text))
    return left(`'${text}' is not a valid queue name: it ends like the name of an index of another queue`)
  return QUEUE.test(text)
    ? right(text)
    : left(
        `'${clip(text)}' is not a valid queue name: use lower-case letters, digits, '_' and single '-', starting with a letter or '_'`,
      )
}

export const parseCommandType = (text: string): Either<string, string> =>
  COMMAND_TYPE.test(text)
    ? right(text)
    : left(
        `'${clip(text)}' is not a valid command type: use up to 128 letters, digits, '_', '.', ':' or '-', starting with a letter`,
      )

/** Command ids are UUIDs. Upper case is folded, so that one id is one stream. */
export const parseCommandId = (text: string): Either<string, string> => {
  const id = text.toLowerCase()
  return isUuid(id) ? right(id) : left(`'${clip(text)}' is not a valid id: use a UUID`)
}

/** Any non-empty text up to 128 characters that PostgreSQL can hold. */
export const parseCorrelationId = (text: string): Either<string, string> =>
  text.trim() !== '' && text.length <= 128 && text.isWellFormed() && !text.includes('\u0000')
    ? right(text)
    : left('a correlation id must be a non-empty text of at most 128 characters')

const clip = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}...` : text)

/** Commands of another priority than normal have a queue of their own. */
export const commandQueue = (domain: string, priority: Priority = 'normal'): string => {
  const queue = `${domain.replaceAll('.', '__')}${SUFFIX}`
  return priority === 'normal' ? queue : `${queue}${endOf(priority)}`
}

const endOf = (priority: OtherPriority): string => `__${priority}`

/** The priority of the commands on a command queue. */
export const priorityOfQueue = (queue: string): Priority =>
  queue.endsWith(SUFFIX) ? 'normal' : (otherPriorities.find(priority => queue.endsWith(endOf(priority))) ?? 'normal')

/** The queues of a domain's commands, those that workers prefer first. */
export const commandQueues = (domain: string): readonly string[] =>
  priorities.map(priority => commandQueue(domain, priority))

/** The domain whose commands a queue holds (no domain has `__`); null for other queues. */
export const domainOfQueue = (queue: string): string | null => {
  const other = otherPriorities.find(priority => queue.endsWith(`${SUFFIX}${endOf(priority)}`))
  const normal = other === undefined ? queue : queue.slice(0, -endOf(other).length)
  return normal.endsWith(SUFFIX) ? normal.slice(0, -SUFFIX.length).replaceAll('__', '.') : null
}

export const replyQueue = (domain: string): string => `${domain.replaceAll('.', '__')}__replies`

/** `command-<domain>-<uuid>`: the part before the first dash is the category. */
export const commandStream = ({ domain, commandId }: CommandKey): string => `command-${domain}-${commandId}`

/** How the streams of commands begin. */
export const COMMAND_PREFIX = 'command-'

export const isCommandStream = (stream: string): boolean => stream.startsWith(COMMAND_PREFIX)

/** The streams of one domain's commands, or of all: from the first name, and before the second. */
export const commandStreamRange = (domain?: string): readonly [from: string, before: string] => {
  const names = domain === undefined ? 'command' : `command-${domain}`
  return [`${names}-`, `${names}.`]
}

const UUID_LENGTH = 36

export const parseCommandStream = (stream: string): CommandKey | null => {
  const commandId = stream.slice(-UUID_LENGTH)
  const domain = stream.slice(COMMAND_PREFIX.length, -UUID_LENGTH - 1)
  const separator = stream.at(-UUID_LENGTH - 1)
  return isCommandStream(stream) && separator === '-' && isUuid(commandId) && domain !== ''
    ? { domain, commandId }
    : null
}
