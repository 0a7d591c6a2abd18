import { commandQueue } from '../../domain/command/names.ts'
import type { Transaction } from '../ports/event-store.ts'
import { inLaneOf } from '../sending/lane-rules.ts'
import { coalesce } from '../shared/coalesce.ts'
import { HeldError, UnavailableError } from '../shared/errors.ts'
import { type BatchDeps, type BatchResult, sendBatch } from './send-batch.ts'
import {
  acceptedOrThrow,
  type CommandToSend,
  makeReplyQueuesOf,
  type PreparedSend,
  prepareSend,
  type SendOutcome,
  type SentCommand,
  sendPrepared,
  sizeOfSend,
  watchSend,
} from './send-command.ts'
import { settledOrHeld } from './settled-or-held.ts'

export interface SenderDeps extends Omit<BatchDeps, 'patienceMs'> {
  /** How one append may have the commands of several callers; null: each append is a separate request. */
  readonly share: {
    /** Whether a failure concerns all callers (the database is away), not one command. */
    readonly isShared: (error: unknown) => boolean
    /** How long a caller waits for an id or a queue that another transaction has locked. */
    readonly patienceMs: number
  } | null
  /** A sentence about an error that leaves open whether the append took place; null for other errors. */
  readonly whyInDoubt: (error: unknown) => string | null
}

/** `within` is a transaction of the caller's: the command commits or rolls back with it. */
export interface Sender {
  readonly one: (domain: string, command: CommandToSend, within?: Transaction) => Promise<SendOutcome>
  /** @throws DuplicateCommandError */
  readonly send: (domain: string, command: CommandToSend, within?: Transaction) => Promise<SentCommand>
  readonly batch: (
    domain: string,
    commands: readonly CommandToSend[],
    within?: Transaction,
  ) => Promise<readonly BatchResult[]>
}

const SENDS_A_STATEMENT = 500
const SENDING_CONNECTIONS = 4

const inDoubt = (why: string, commandId: string, cause: unknown): UnavailableError =>
  new UnavailableError(
    `${why}; whether the command was stored is unknown: send it again with commandId '${commandId}', which stores it once`,
    { cause },
  )

/** The ways to send; concurrent callers share statements where that is faster. */
export const createSender = ({ share, whyInDoubt, ...deps }: SenderDeps): Sender => {
  const prepare = prepareSend(deps)
  const sendMany = sendPrepared(deps.transact)
  const watched = watchSend(deps.telemetry)
  const sendNow =
    share === null
      ? async (prepared: PreparedSend) => (await sendMany([prepared]))[0] as SendOutcome
      : coalesce<PreparedSend, SendOutcome>({
          room: { most: SENDS_A_STATEMENT, sizeOf: sizeOfSend },
          maxRuns: SENDING_CONNECTIONS,
          run: prepared => settledOrHeld(prepared.length, onOutcome => sendMany(prepared, undefined, onOutcome, true)),
          isShared: share.isShared,
          aside: {
            keyOf: ({ domain, commandId }) => `${domain} ${commandId}`,
            patienceMs: share.patienceMs,
            onHeld: ({ domain, commandId }) =>
              new HeldError(`the id ${commandId}, or what sending to '${domain}' needs,`),
          },
        })
  const one: Sender['one'] = async (domain, command, within) => {
    // commands that shared a failed statement may be sent again, one by one
    const checked = { eventId: deps.ids.next(), ...prepare(domain, command) }
    const rules = deps.laneRules(domain)
    const prepared = inLaneOf(checked, rules instanceof Promise ? await rules : rules)
    const { replyTo, priority } = prepared.intent
    const queue = commandQueue(domain, priority)
    const admitted = deps.admit(replyTo === null ? [queue] : [queue, replyTo], null)
    if (admitted !== null) await admitted
    await makeReplyQueuesOf([prepared], deps, within)
    try {
      const [outcome] = await watched([prepared], async ready =>
        within === undefined ? [await sendNow(ready[0] as PreparedSend)] : sendMany(ready, within),
      )
      return outcome as SendOutcome
    } catch (error) {
      const why = whyInDoubt(error)
      // in a caller's transaction nothing is in doubt: the caller rolls back
      if (why === null || within !== undefined) throw error
      throw inDoubt(why, prepared.commandId, error)
    }
  }
  return {
    one,
    send: async (domain, command, within) => acceptedOrThrow(domain, await one(domain, command, within)),
    batch: sendBatch({ ...deps, patienceMs: share?.patienceMs ?? null }),
  }
}
