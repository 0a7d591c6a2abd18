import type { CommandError } from '../../domain/command/events.ts'
import type { ReportFailure } from '../../domain/command/intents.ts'
import type { CommandState } from '../../domain/command/state.ts'
import type { Json } from '../../domain/json/json.ts'
import { type Clock, presentInstant } from '../ports/clock.ts'
import { heldBytes } from '../shared/json-size.ts'
import type { Loaded, TurnOutcome } from '../shared/transact.ts'
import type { CommandTurn, WorkItem } from './work-message.ts'

export type Outcome =
  /** `bytes`: about how many a statement needs for the result. */
  | { readonly kind: 'success'; readonly result: Json; readonly bytes: number }
  /** `counts: false`: the handler was not called, and the next attempt has the same number. */
  | { readonly kind: 'failure'; readonly error: CommandError; readonly counts?: false }

/** Only the receipt: shows a longer run as IN_PROGRESS. */
export const receiptTurn = (job: WorkItem): CommandTurn => ({
  stream: job.stream,
  intents: [job.receive],
  known: job.loaded,
})

/**
 * The report of an attempt. If the log does not have its receipt yet, that is appended too, and on success it is part of
 * the same event.
 */
export const outcomeTurn = (
  job: WorkItem,
  known: Loaded<CommandState>,
  outcome: Outcome,
  clock: Clock,
): CommandTurn => {
  const { stream, receive, attempt } = job
  const { actor, build } = receive
  const at = presentInstant(clock)
  if (outcome.kind === 'success') {
    const { result, bytes } = outcome
    return { stream, intents: [{ type: 'ReportSuccess', at, actor, build, attempt, result, receive }], known, bytes }
  }
  const failed: ReportFailure = {
    type: 'ReportFailure',
    at,
    actor,
    build,
    attempt,
    error: outcome.error,
    ...(outcome.counts === false ? { givenUp: { counts: false } } : {}),
    random: clock.random(),
  }
  return { stream, intents: [receive, failed], known, bytes: bytesOf(outcome.error) }
}

/** The message is cut; details may be as large as a payload. */
const bytesOf = ({ details }: CommandError): number => (details === undefined ? 0 : heldBytes(details))

/**
 * The report of a worker that gave up an attempt while its handler ran. `counts`: whether this uses one of the command's
 * attempts (the next one may then begin at once); undefined: it is treated as any other failure.
 */
export const gaveUpTurn = (
  { stream, receive, attempt }: WorkItem,
  error: CommandError,
  counts: boolean | undefined,
  clock: Clock,
): CommandTurn => {
  const failed: ReportFailure = {
    type: 'ReportFailure',
    at: presentInstant(clock),
    actor: receive.actor,
    build: receive.build,
    attempt,
    error,
    ...(counts === undefined ? {} : { givenUp: { counts } }),
    random: clock.random(),
  }
  return { stream, intents: [receive, failed] }
}

/** Whether the report counted; false: another attempt has the command now. */
export const wasAccepted = (outcome: TurnOutcome<CommandState, unknown, unknown>): boolean => outcome.outcome === 'done'
