import type { CommandError } from '../../domain/command/events.ts'
import type { Json } from '../../domain/json/json.ts'
import type { HandledCommand } from './handled-command.ts'

/** The longest deadline of a rehearsal. */
export const MAX_REHEARSAL_MS = 60_000

/** What a handler is to be run on: the command as an attempt would find it. */
export interface RehearsalRequest {
  readonly command: HandledCommand
  readonly attempt: number
  readonly maxAttempts: number
  readonly totalAttempts: number
  /** After this the handler is stopped. */
  readonly deadlineMs: number
}

export type RehearsalAnswer =
  /** Nothing was run. */
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'succeeded'; readonly result: Json; readonly durationMs: number }
  | { readonly kind: 'failed'; readonly error: CommandError; readonly durationMs: number }
  /** It did not end in time. */
  | { readonly kind: 'timeout'; readonly message: string; readonly durationMs: number }
  /** Its process died. */
  | { readonly kind: 'crashed'; readonly message: string; readonly durationMs: number }

/** The handlers that this process can reach, to ask without working. */
export interface Rehearsals {
  /** What the registered codec has against a payload, a sentence each with the path; empty: nothing, or no codec is known. @throws UnavailableError when too much is asked at once */
  readonly faultsOf: (
    domain: string,
    commandType: string,
    data: Json,
    tenantId: string | null,
  ) => Promise<readonly string[]>
  /** Runs the handler. By the time of the answer, whatever it wrote in its transaction is rolled back. */
  readonly run: (request: RehearsalRequest) => Promise<RehearsalAnswer>
}
