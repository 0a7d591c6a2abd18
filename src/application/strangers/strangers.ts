import type { Log } from '../ports/log.ts'
import type {
  AdoptChoice,
  StrangerChoice,
  StrangerFilter,
  StrangerStore,
  TriedStranger,
  WaitingStrangers,
} from '../ports/strangers.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { cutToFit } from '../shared/fitting.ts'
import {
  booleanOf,
  commandTypeOf,
  domainOf,
  limitOf,
  MAX_LIMIT,
  optional,
  replyQueueOf,
  textOf,
} from '../shared/input.ts'
import { scopedTenantOf } from '../shared/scope.ts'

interface SettleOptions extends StrangerChoice {
  /** The operator's name, for the record. */
  readonly operator: string
  /** Only these. Default: all that match the other options, up to `limit`, oldest first. */
  readonly strangerIds?: readonly string[]
  /** `nextCursor` of an earlier answer: continue after those it tried. */
  readonly cursor?: string
}

export interface AdoptOptions extends SettleOptions, AdoptChoice {
  /** Domains that are left out, each with the reason. */
  readonly closed?: ReadonlyMap<string, string>
}

/** Which messages of other programs are dropped, by whom and why. */
export interface DropOptions extends SettleOptions {
  readonly reason: string
}

/** What `strangers.adopt` did. */
export interface AdoptedStrangers {
  readonly adopted: readonly { readonly strangerId: string; readonly domain: string; readonly commandId: string }[]
  /** Those that cannot be adopted, with the reason; they stay. */
  readonly failed: readonly { readonly strangerId: string; readonly domain: string; readonly reason: string }[]
  /** Null: all that match were tried. */
  readonly nextCursor: string | null
}

/** What `strangers.drop` did. `nextCursor` null: all that match were dropped. */
export interface DroppedStrangers {
  readonly dropped: number
  readonly nextCursor: string | null
}

/** The calls for strangers, with their input checked. @throws InvalidInputError, ReplyQueueRefusedError */
export const createStrangers = (store: StrangerStore, log: Log) => {
  const waiting = async (options: SettleOptions) => {
    const strangerIds = optional(options.strangerIds, idsOf)
    const cursor = optional(options.cursor, value => idOf(value, 'cursor'))
    const choice: WaitingStrangers = {
      ...choiceOf(options),
      ...(strangerIds === null ? {} : { strangerIds }),
      ...(cursor === null ? {} : { cursor }),
    }
    const found = await store.waiting(choice)
    const limit = choice.limit ?? DEFAULT_LIMIT
    const nextCursor = strangerIds === null && found.length >= limit ? (found.at(-1)?.strangerId ?? null) : null
    return { found, nextCursor }
  }

  return {
    /** Messages on command queues that no command of this bus sent, newest first. */
    list: async (filter: StrangerFilter = {}) => {
      const cursor = optional(filter.cursor, value => idOf(value, 'cursor'))
      return store.list({
        ...choiceOf(filter),
        settled: filter.settled === true,
        ...(cursor === null ? {} : { cursor }),
      })
    },

    /** Makes commands of them, each once; those that cannot be adopted stay. */
    adopt: async (options: AdoptOptions): Promise<AdoptedStrangers> => {
      const actor = textOf(options.operator, 'operator', 200)
      const choice = { ...adoptChoiceOf(options), actor }
      const { found, nextCursor } = await waiting(options)
      const closed = options.closed ?? new Map<string, string>()
      const tried: TriedStranger[] = []
      for (const { strangerId, domain } of found) {
        const instead = closed.get(domain)
        if (instead === undefined) continue
        tried.push({ strangerId, domain, commandId: null, reason: `domain '${domain}' is closed: ${instead}` })
      }
      const open = found.filter(({ domain }) => !closed.has(domain))
      for (const part of cutToFit(open, { most: MAX_LIMIT, sizeOf: ({ bytes }) => bytes })) {
        tried.push(
          ...(await store.adopt(
            part.map(({ strangerId }) => strangerId),
            choice,
          )),
        )
      }
      const adopted = tried.flatMap(({ strangerId, domain, commandId, reason }) =>
        reason === null && commandId !== null ? [{ strangerId, domain, commandId }] : [],
      )
      const failed = tried.flatMap(({ strangerId, domain, reason }) =>
        reason === null ? [] : [{ strangerId, domain, reason }],
      )
      if (tried.length > 0) {
        log.info(
          { operator: actor, adopted: adopted.length, failed: failed.length },
          'messages of other programs were adopted',
        )
      }
      return { adopted, failed, nextCursor }
    },

    /** Gives them up: their messages are deleted, and who did it, when and why is kept. */
    drop: async (options: DropOptions): Promise<DroppedStrangers> => {
      const actor = textOf(options.operator, 'operator', 200)
      const reason = textOf(options.reason, 'reason')
      const { found, nextCursor } = await waiting(options)
      const ids = found.map(({ strangerId }) => strangerId)
      const dropped = ids.length === 0 ? 0 : await store.drop(ids, { actor, reason })
      if (dropped > 0) log.info({ operator: actor, dropped, reason }, 'messages of other programs were dropped')
      return { dropped, nextCursor }
    },
  }
}

/** Messages of other programs on queues of commands: docs/adopting-pgmq.md. @interface */
export type Strangers = ReturnType<typeof createStrangers>

const DEFAULT_LIMIT = 100

const idOf = (value: unknown, field: string): string => {
  if (typeof value === 'string' && /^\d{1,18}$/.test(value)) return value
  throw new InvalidInputError(field, 'must be a strangerId as the list of strangers has it: a number as a text')
}

const idsOf = (value: unknown): readonly string[] => {
  if (!Array.isArray(value) || value.length > MAX_LIMIT) {
    throw new InvalidInputError('strangerIds', `must be a list of at most ${MAX_LIMIT}`)
  }
  return value.map((id, i) => idOf(id, `strangerIds[${i}]`))
}

/** Queue names and types are only compared: what other programs sent may not be valid. */
const choiceOf = (given: StrangerChoice): StrangerChoice => {
  const parsed = {
    domain: optional(given.domain, domainOf),
    queue: optional(given.queue, value => textOf(value, 'queue', 200)),
    messageType: optional(given.messageType, value => textOf(value, 'messageType')),
    tenantId: optional(given.tenantId, scopedTenantOf),
    limit: optional(given.limit, limitOf),
  }
  return Object.fromEntries(Object.entries(parsed).filter(([, value]) => value !== null))
}

const adoptChoiceOf = ({ commandType, replyTo, asNew }: AdoptChoice): AdoptChoice => ({
  ...(commandType === undefined ? {} : { commandType: commandTypeOf(commandType) }),
  ...(replyTo === undefined ? {} : { replyTo: replyTo === null ? null : replyQueueOf(replyTo) }),
  ...(asNew === undefined ? {} : { asNew: booleanOf(asNew, 'asNew') }),
})
