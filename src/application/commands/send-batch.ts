import { commandQueue } from '../../domain/command/names.ts'
import { demandDomain } from '../payloads/define-command.ts'
import type { Transaction } from '../ports/event-store.ts'
import type { AdmitQueues } from '../ports/queue.ts'
import { inLaneOf } from '../sending/lane-rules.ts'
import { HeldError, InvalidInputError } from '../shared/errors.ts'
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
  /** Whether a statement that failed with this error has certainly stored nothing. */
  readonly isUndone: (error: unknown) => boolean
  /** The error as callers see it. */
  readonly toPublicError: (error: unknown) => Error
  /** How long a batch waits for ids or queues that another transaction has locked; null: the log has no such locks. */
  readonly patienceMs: number | null
}

/** The outcome of one command of a batch; results are in the order of the commands. */
export interface BatchResult extends BatchItem {
  /** `duplicate`: the caller's tenant has sent it before; `taken`: the id belongs to another tenant's command. */
  readonly outcome: 'accepted' | 'duplicate' | 'taken'
}

/**
 * Sends up to 10,000 commands in a few statements, cut by number and by bytes. Duplicates, also within the batch, are
 * reported one by one.
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
    const checked = commands.map((command, i) => {
      try {
        demandDomain(command, domain)
        return prepare(domain, command)
      } catch (error) {
        throw error instanceof InvalidInputError
          ? new InvalidInputError(`commands[${i}].${error.field}`, error.message.slice(error.field.length + 2))
          : error
      }
    })
    const rules = await deps.laneRules(domain)
    const prepared = rules.length === 0 ? checked : checked.map(one => inLaneOf(one, rules))
    const replies = prepared.flatMap(({ intent }) => (intent.replyTo === null ? [] : [intent.replyTo]))
    const queues = [...new Set(prepared.map(({ intent }) => intent.priority))].map(one => commandQueue(domain, one))
    if (prepared.length > 0) await deps.admit([...new Set([...queues, ...replies])], null)
    await makeReplyQueuesOf(prepared, deps, within)
    return watchSend(deps.telemetry)(prepared, ready => sendInChunks(deps, ready, within))
  }

const sendInChunks = async (
  deps: BatchDeps,
  prepared: readonly PreparedSend[],
  within: Transaction | undefined,
): Promise<readonly BatchResult[]> => {
  const send = sendPrepared(deps.transact)
  // commands in lanes keep their order
  const inOrder = prepared.some(({ intent }) => intent.lane !== undefined)
  // a caller's transaction is one connection; without it, one chunk is prepared while another is written
  const writers = within === undefined && !inOrder ? WRITERS : 1
  const brief = within === undefined && deps.patienceMs !== null
  const known = new Map<number, BatchResult>()
  /** Indexes of commands in failed chunks that may have been stored. */
  const doubtful = new Set<number>()
  const failures: unknown[] = []

  const sendChunk = async (places: readonly number[]): Promise<void> => {
    const commands = places.map(place => prepared[place] as PreparedSend)
    try {
      const note = (j: number, outcome: SendOutcome) => known.set(places[j] as number, batchResult(outcome))
      const outcomes = await send(commands, within, note, brief)
      // set again: where rows and messages follow the log, the message's id is known only now
      outcomes.forEach((outcome, j) => void note(j, outcome))
    } catch (error) {
      // the outcome of locked ones is not known yet
      if (error instanceof HeldError) return
      failures.push(error)
      if (!deps.isUndone(error)) for (const place of places) doubtful.add(place)
    }
  }
  const sendAll = async (places: readonly number[]): Promise<void> => {
    const chunks = distinctChunks(prepared, places, inOrder ? CHUNK_IN_LANES : CHUNK)
    const writer = async (first: number): Promise<void> => {
      // the writer before it has sent its first statement by then
      if (first > 0) await nextTurn()
      for (let i = first; i < chunks.length && failures.length === 0; i += writers) {
        const chunk = chunks[i] as readonly number[]
        await sendChunk(chunk)
        // the next chunk must not overtake commands that are locked
        if (inOrder && !chunk.every(place => known.has(place))) return
      }
    }
    await Promise.all(Array.from({ length: writers }, (_, i) => writer(i)))
  }
  /** Tries all locked commands again together; between the tries they use no connection. */
  const sendHeld = async (patienceMs: number): Promise<void> => {
    const began = performance.now()
    for (let wait = FIRST_WAIT_MS; failures.length === 0; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      const held = prepared.flatMap((_, place) => (known.has(place) ? [] : [place]))
      const [first] = held
      if (first === undefined) return
      if (performance.now() - began >= patienceMs) {
        const { domain, commandId } = prepared[first] as PreparedSend
        failures.push(new HeldError(`the id ${commandId}, or what sending to '${domain}' needs,`))
        return
      }
      await pause(wait)
      await sendAll(held)
    }
  }
  await sendAll(prepared.map((_, place) => place))
  if (brief) await sendHeld(deps.patienceMs ?? 0)

  if (failures.length === 0) return prepared.map((_, place) => known.get(place) as BatchResult)
  const isWithin = within !== undefined
  const results = prepared.map(({ commandId }, place): BatchItem => {
    const result = isWithin ? undefined : known.get(place)
    if (result !== undefined) return result
    return { commandId, outcome: !isWithin && doubtful.has(place) ? 'unknown' : 'unsent', msgId: null }
  })
  const cause = deps.toPublicError(failures[0])
  // nothing was stored: fail as other calls do
  if (!isWithin && results.every(({ outcome }) => outcome === 'unsent')) throw cause
  throw new BatchFailedError(results, cause, isWithin)
}

const batchResult = (outcome: SendOutcome): BatchResult =>
  outcome.outcome === 'accepted'
    ? { commandId: outcome.sent.commandId, outcome: 'accepted', msgId: outcome.sent.msgId }
    : { commandId: outcome.commandId, outcome: outcome.outcome, msgId: null }

/**
 * Indexes of the batch in chunks, one for each statement. All commands of one id stay in one chunk, so that the first one
 * wins; only its payload is in the statement.
 */
const distinctChunks = (
  prepared: readonly PreparedSend[],
  places: readonly number[],
  most: number,
): readonly (readonly number[])[] => {
  const placesOf = new Map<string, number[]>()
  for (const place of places) {
    const { commandId } = prepared[place] as PreparedSend
    const others = placesOf.get(commandId)
    if (others === undefined) placesOf.set(commandId, [place])
    else others.push(place)
  }
  const sizeOf = ([first]: readonly number[]): number => sizeOfSend(prepared[first as number] as PreparedSend)
  return cutToFit([...placesOf.values()], { most, sizeOf }).map(chunk => chunk.flat())
}

/** Commands of one statement: a batch of 1,000 is two, so that one is prepared while the other is written. */
const CHUNK = 500
/** Its lanes are locked for as long as the statement takes. */
const CHUNK_IN_LANES = 200
const WRITERS = 2
const FIRST_WAIT_MS = 20
const LONGEST_WAIT_MS = 500

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
