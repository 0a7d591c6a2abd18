import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import type { Adopted } from '../../domain/command/events.ts'
import type { Send } from '../../domain/command/intents.ts'
import { commandQueue, commandStream } from '../../domain/command/names.ts'
import { type CommandState, initialState } from '../../domain/command/state.ts'
import {
  makeReplyQueuesOf,
  type PreparedSend,
  prepareSend,
  type SendDeps,
  sizeOfSend,
} from '../commands/send-command.ts'
import type { Transaction } from '../ports/event-store.ts'
import type { AdmitQueues } from '../ports/queue.ts'
import type { AdoptChoice } from '../ports/strangers.ts'
import { inLaneOf } from '../sending/lane-rules.ts'
import { InvalidInputError, ReplyQueueRefusedError, TooManyQueuesError } from '../shared/errors.ts'
import { cutToFit } from '../shared/fitting.ts'
import type { Turn, TurnOutcome } from '../shared/transact.ts'
import { type FoundMessage, readStranger } from './read-stranger.ts'

export interface AdopterDeps extends Omit<SendDeps, 'telemetry'> {
  readonly admit: AdmitQueues
  /** The same UUID for the same text. */
  readonly derivedId: (text: string) => string
}

export type AdoptOutcome =
  | { readonly outcome: 'adopted'; readonly commandId: string }
  | { readonly outcome: 'refused'; readonly why: string }

/** Makes commands of messages that other programs sent. */
export interface Adopter {
  /** Checks messages and makes their reply queues, outside any transaction; or says why one cannot be adopted. */
  readonly prepare: (
    found: readonly FoundMessage[],
    choice: AdoptChoice & { readonly actor: string },
  ) => Promise<readonly Either<string, PreparedSend>[]>
  /** Sends prepared messages together. One that was adopted before is adopted again without an event. */
  readonly send: (prepared: readonly PreparedSend[], within?: Transaction) => Promise<readonly AdoptOutcome[]>
}

const A_STATEMENT = 500

export const createAdopter = (deps: AdopterDeps): Adopter => {
  const prepareOne = prepareSend(deps)

  const checked = (found: FoundMessage, choice: AdoptChoice & { readonly actor: string }) => {
    const read = readStranger(found, choice, deps.derivedId(`stranger ${found.queue} ${found.msgId}`))
    if (isLeft(read)) return read
    const { domain, command, adopted } = read.right
    try {
      const prepared = prepareOne(domain, { ...command, actor: choice.actor })
      return right({ ...prepared, intent: { ...prepared.intent, adopted } })
    } catch (error) {
      if (error instanceof InvalidInputError) return left(error.message)
      throw error
    }
  }

  /** Why replies cannot go to this queue, or null. */
  const refusalOf = async (prepared: PreparedSend, replyTo: string): Promise<string | null> => {
    try {
      await deps.admit([commandQueue(prepared.domain, prepared.intent.priority), replyTo], null)
      await makeReplyQueuesOf([prepared], deps)
      return null
    } catch (error) {
      if (error instanceof ReplyQueueRefusedError || error instanceof TooManyQueuesError) return error.message
      throw error
    }
  }

  return {
    prepare: async (found, choice) => {
      const refusals = new Map<string, string | null>()
      const all: Either<string, PreparedSend>[] = []
      for (const one of found) {
        const read = checked(one, choice)
        const prepared = isLeft(read) ? read : right(inLaneOf(read.right, await deps.laneRules(read.right.domain)))
        const replyTo = isLeft(prepared) ? null : prepared.right.intent.replyTo
        if (isLeft(prepared) || replyTo === null) {
          all.push(prepared)
          continue
        }
        if (!refusals.has(replyTo)) refusals.set(replyTo, await refusalOf(prepared.right, replyTo))
        const why = refusals.get(replyTo) ?? null
        all.push(why === null ? prepared : left(why))
      }
      return all
    },

    send: async (prepared, within) => {
      const outcomes: AdoptOutcome[] = []
      for (const part of cutToFit(prepared, { most: A_STATEMENT, sizeOf: sizeOfSend })) {
        const turns = part.map(
          ({ domain, commandId, intent }): Turn<CommandState, Send> => ({
            stream: commandStream({ domain, commandId }),
            intents: [intent],
            known: { state: initialState, revision: -1 },
          }),
        )
        const done = await deps.transact(turns, within === undefined ? {} : { within })
        outcomes.push(...done.map((outcome, i) => adoptOutcome(part[i] as PreparedSend, outcome)))
      }
      return outcomes
    },
  }
}

const adoptOutcome = (
  { commandId, intent }: PreparedSend,
  outcome: TurnOutcome<CommandState, unknown, unknown>,
): AdoptOutcome => {
  const { state } = outcome.now
  const isAdopted =
    outcome.outcome === 'done' || (state.status !== 'NONE' && isSame(state.sent.adopted, intent.adopted))
  return isAdopted
    ? { outcome: 'adopted', commandId }
    : { outcome: 'refused', why: `command ${commandId} was sent before: adopt it as new, or drop it` }
}

const isSame = (one: Adopted | undefined, other: Adopted | undefined): boolean =>
  one !== undefined && one.queue === other?.queue && one.msgId === other.msgId
