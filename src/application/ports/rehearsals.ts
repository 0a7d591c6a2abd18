import type { CommandError } from '../../domain/command/events.ts'
import type { Json } from '../../domain/json/json.ts'
import type { HandledCommand } from './handled-command.ts'

/** The longest deadline of a rehearsal. */
export const MAX_REHEARSAL_MS = 60_000

/** The input of a rehearsal: the command as an attempt would find it. */
export interface RehearsalRequest {
  readonly command: HandledCommand
  readonly attempt: number
  readonly maxAttempts: number
  readonly totalAttempts: number
  /** After this the handler is stopped. */
  readonly deadlineMs: number
  /** Also answers with the commands that it sends in its transaction: the role has to be allowed to read the log. */
  readonly withSent?: true
}

/** A command that a handler sends in its transaction. */
export interface FollowUp {
  readonly domain: string
  readonly commandType: string
  readonly data: Json
}

export type RehearsalAnswer =
  /** Nothing was run. */
  | { readonly kind: 'refused'; readonly why: string }
  | {
      readonly kind: 'succeeded'
      readonly result: Json
      readonly durationMs: number
      /** Of a transactional handler, where they were asked for. */
      readonly sent?: readonly FollowUp[]
    }
  | { readonly kind: 'failed'; readonly error: CommandError; readonly durationMs: number }
  /** It did not end in time. */
  | { readonly kind: 'timeout'; readonly message: string; readonly durationMs: number }
  /** Its process died. */
  | { readonly kind: 'crashed'; readonly message: string; readonly durationMs: number }

/** The handlers that this process knows, for rehearsals and checks. */
export interface Rehearsals {
  /** The domains whose handlers are known, in alphabetical order. @throws UnavailableError when they cannot be loaded */
  readonly domains: () => Promise<readonly string[]>
  /**
   * The faults that the registered codec finds in a payload, a sentence with the path each; empty: none, or no codec is
   * known. @throws UnavailableError for too many calls at once
   */
  readonly faultsOf: (
    domain: string,
    commandType: string,
    data: Json,
    tenantId: string | null,
  ) => Promise<readonly string[]>
  /** Runs the handler. Its transaction is rolled back before the answer. */
  readonly run: (request: RehearsalRequest) => Promise<RehearsalAnswer>
}
