import type { Log } from '../ports/log.ts'
import type { UndeliveredChoice, UndeliveredFilter, UndeliveredStore } from '../ports/reading/undelivered.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { commandIdOf, domainOf, limitOf, MAX_LIMIT, optional, replyQueueOf, textOf } from '../shared/input.ts'
import { scopedTenantOf } from '../shared/scope.ts'

/** Which undelivered replies are tried again, by whom, and where they go. */
export interface DeliverOptions extends UndeliveredChoice {
  /** The operator's name, for the record. */
  readonly operator: string
  /** Only these replies. Default: all that match the other options, up to `limit`. */
  readonly replyIds?: readonly string[]
  /** A queue to use instead of the one that each reply names, where that is not a valid queue name. */
  readonly to?: string
}

/** What `replies.deliverAgain` did. */
export interface Delivered {
  readonly delivered: number
  /** Replies that still cannot be delivered, with the reason; they are not deleted. */
  readonly failed: readonly {
    readonly replyId: string
    readonly domain: string
    readonly commandId: string
    readonly queue: string
    readonly reason: string
  }[]
}

/** The calls for undelivered replies, with their input checked. @throws InvalidInputError, ReplyQueueRefusedError */
export const createUndeliveredReplies = (store: UndeliveredStore, log: Log) => ({
  /** Replies that could not be put on their queue, newest first, in pages. @throws InvalidInputError */
  undelivered: async (filter: UndeliveredFilter = {}) => {
    const cursor = optional(filter.cursor, value => idOf(value, 'cursor'))
    return store.list({
      ...choiceOf(filter),
      delivered: filter.delivered === true,
      ...(cursor === null ? {} : { cursor }),
    })
  },
  /** Tries undelivered replies again, each once. @throws InvalidInputError */
  deliverAgain: async (options: DeliverOptions): Promise<Delivered> => {
    const actor = textOf(options.operator, 'operator', 200)
    const to = optional(options.to, value => replyQueueOf(value, 'to'))
    const replyIds = optional(options.replyIds, idsOf)
    const tried = await store.deliver({
      ...choiceOf(options),
      actor,
      ...(replyIds === null ? {} : { replyIds }),
      ...(to === null ? {} : { to }),
    })
    const failed = tried.flatMap(({ reason, ...reply }) => (reason === null ? [] : [{ ...reply, reason }]))
    const delivered = tried.length - failed.length
    if (tried.length > 0) {
      log.info({ operator: actor, delivered, failed: failed.length }, 'kept replies were delivered again')
    }
    return { delivered, failed }
  },
})

/** Replies that could not be put on their queue: the list of them, and trying them again. @interface */
export type UndeliveredReplies = ReturnType<typeof createUndeliveredReplies>

const idOf = (value: unknown, field: string): string => {
  if (typeof value === 'string' && /^\d{1,18}$/.test(value)) return value
  throw new InvalidInputError(field, 'must be a replyId as the list of kept replies has it: a number as a text')
}

const idsOf = (value: unknown): readonly string[] => {
  if (!Array.isArray(value) || value.length > MAX_LIMIT) {
    throw new InvalidInputError('replyIds', `must be a list of at most ${MAX_LIMIT}`)
  }
  return value.map((id, i) => idOf(id, `replyIds[${i}]`))
}

/** Queue names are only compared: events of older versions may have names that are not valid today. */
const choiceOf = (given: UndeliveredChoice): UndeliveredChoice => {
  const parsed = {
    domain: optional(given.domain, domainOf),
    commandId: optional(given.commandId, value => commandIdOf(value)),
    queue: optional(given.queue, value => textOf(value, 'queue', 200)),
    tenantId: optional(given.tenantId, scopedTenantOf),
    limit: optional(given.limit, limitOf),
  }
  return Object.fromEntries(Object.entries(parsed).filter(([, value]) => value !== null))
}
