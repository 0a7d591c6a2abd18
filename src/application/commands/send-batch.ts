import { commandQueue } from '../../domain/command/names.ts'
import type { Transaction } from '../ports/event-store.ts'
import type { AdmitQueues } from '../ports/queue.ts'
import { InvalidInputError } from '../shared/errors.ts'
import { cutToFit } from '../shared/fitting.ts'
import { domainOf } from '../shared/input.ts'
import { BatchFailedError, type BatchItem } from './batch-failed.ts'
import {
  type CommandToSend,
  makeReplyQueuesOf,
  type PreparedSend,
  prepareSend,
  type SendDeps,
  type SendOutcome,
  sendPrepared,
  sizeOfSend,
  watchSend,
} from './send-command.ts'

export const MAX_BATCH = 10_000

export interface BatchDeps extends SendDeps {
  readonly admit: AdmitQueues
  /** Whether a statement that failed with this error has certainly left nothing behind. */
  readonly isUndone: (error: unknown) => boolean
  /** The error as callers see it. */
  readonly toPublicError: (error: unknown) => Error
}

export interface BatchResult extends BatchItem {
  /** `duplicate`: the caller's tenant has sent it before; `taken`: the id belongs to another tenant's command. */
  readonly outcome: 'accepted' | 'duplicate' | 'taken'
}

/**
 * Up to 10,000 commands in a few statements, cut by number and by bytes; duplicates, also within the batch, are reported
 * one by one.
 * @throws InvalidInputError (nothing was sent), BatchFailedError
 */
export const sendBatch =
  (deps: BatchDeps) =>
  async (domain: string, commands: readonly CommandToSend[], within?: Transaction): Promise<readonly BatchResult[]> => {
    if (!Array.isArray(commands)) throw new InvalidInputError('commands', 'must be a list')
    if (commands.length > MAX_BATCH) {
      throw new InvalidInputError('commands', `at most ${MAX_BATCH} in one call, not ${commands.length}; split them`)
    }
    domainOf(domain)
    const prepare = prepareSend(deps)
    const prepared = commands.map((command, i) => {
      try {
        return prepare(domain, command)
      } catch (error) {
        throw error instanceof InvalidInputError
          ? new InvalidInputError(`commands[${i}].${error.field}`, error.message.slice(error.field.length + 2))
          : error
      }
    })
    const replies = prepared.flatMap(({ intent }) => (intent.replyTo === null ? [] : [intent.replyTo]))
    if (prepared.length > 0) await deps.admit([...new Set([commandQueue(domain), ...replies])], null)
    await makeReplyQueuesOf(prepared, deps, within)
    return watchSend(deps.telemetry)(prepared, ready => sendInChunks(deps, ready, within))
  }

const sendInChunks = async (
  deps: BatchDeps,
  prepared: readonly PreparedSend[],
  within: Transaction | undefined,
): Promise<readonly BatchResult[]> => {
  const send = sendPrepared(deps.transact)
  const chunks = distinctChunks(prepared)
  // the caller's own transaction is one connection; otherwise one chunk is prepared while another is written
  const lanes = within === undefined ? LANES : 1
  const known = new Map<number, BatchResult>()
  /** Places of chunks that failed and may have been stored. */
  const doubtful = new Set<number>()
  const failures: unknown[] = []

  const lane = async (first: number): Promise<void> => {
    for (let i = first; i < chunks.length && failures.length === 0; i += lanes) {
      const places = chunks[i] as readonly number[]
      const commands = places.map(place => prepared[place] as PreparedSend)
      try {
        const note = (j: number, outcome: SendOutcome) => known.set(places[j] as number, batchResult(outcome))
        const outcomes = await send(commands, within, note)
        // once more: where rows and messages follow the log, the message's id is known only now
        outcomes.forEach((outcome, j) => void note(j, outcome))
      } catch (error) {
        failures.push(error)
        if (!deps.isUndone(error)) for (const place of places) doubtful.add(place)
      }
    }
  }
  await Promise.all(Array.from({ length: lanes }, (_, i) => lane(i)))

  if (failures.length === 0) return prepared.map((_, place) => known.get(place) as BatchResult)
  const isWithin = within !== undefined
  const results = prepared.map(({ commandId }, place): BatchItem => {
    const result = isWithin ? undefined : known.get(place)
    if (result !== undefined) return result
    return { commandId, outcome: !isWithin && doubtful.has(place) ? 'unknown' : 'unsent', msgId: null }
  })
  const cause = deps.toPublicError(failures[0])
  // as any other call that has done nothing
  if (!isWithin && results.every(({ outcome }) => outcome === 'unsent')) throw cause
  throw new BatchFailedError(results, cause, isWithin)
}

const batchResult = (outcome: SendOutcome): BatchResult =>
  outcome.outcome === 'accepted'
    ? { commandId: outcome.sent.commandId, outcome: 'accepted', msgId: outcome.sent.msgId }
    : { commandId: outcome.commandId, outcome: outcome.outcome, msgId: null }

/**
 * Places of the batch in chunks, each for one statement; all commands of one id stay in one chunk, so that the first of
 * them wins. Only the first has its payload in the statement.
 */
const distinctChunks = (prepared: readonly PreparedSend[]): readonly (readonly number[])[] => {
  const placesOf = new Map<string, number[]>()
  prepared.forEach(({ commandId }, place) => {
    const places = placesOf.get(commandId)
    if (places === undefined) placesOf.set(commandId, [place])
    else places.push(place)
  })
  const sizeOf = ([first]: readonly number[]): number => sizeOfSend(prepared[first as number] as PreparedSend)
  return cutToFit([...placesOf.values()], { most: CHUNK, sizeOf }).map(chunk => chunk.flat())
}

/** Commands a statement; larger ones gain nothing and hold locks longer. */
const CHUNK = 1000
const LANES = 2
