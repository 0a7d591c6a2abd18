import type { Decoder } from 'io-ts'
import type { ClientBase } from 'pg'
import type { HandledCommand } from '../../../application/ports/handled-command.ts'
import type { Log } from '../../../application/ports/log.ts'
import type { Json } from '../../../domain/json/json.ts'
import { isTimeout, MAX_TIMEOUT_MS } from './deadline.ts'

export interface HandlerContext<Payload = Json> {
  readonly command: HandledCommand<Payload>
  /** 1 for the first attempt of a round; an operator's retry starts a new round. */
  readonly attempt: number
  readonly maxAttempts: number
  /** Attempts of the command's whole life, this one included. */
  readonly totalAttempts: number
  /** Aborted at the handler's timeout, when the lease is lost, and at the deadline of a stop. */
  readonly signal: AbortSignal
  /** Keeps the message for `seconds` from now; the heartbeat does it anyway, for as long as the process lives. */
  readonly extendVisibility: (seconds: number) => Promise<void>
  readonly log: Log
  /** Somebody wants to see what would happen: leave alone whatever a rollback does not undo. False in earnest. */
  readonly rehearsal: boolean
  /**
   * With `transactional: true`: a client inside the transaction that will complete the command. What it writes commits
   * with the completion or not at all. Do not end the transaction.
   */
  readonly client: ClientBase
}

/** Ends with the result (any JSON value; nothing means null), or throws one of the command errors. */
export type Handle<Payload> = (data: Payload, context: HandlerContext<Payload>) => Promise<unknown> | unknown

export interface HandlerDefinition<Payload> {
  /** An io-ts codec; a payload it refuses parks the command as INVALID_PAYLOAD. */
  readonly payload?: Decoder<unknown, Payload>
  readonly handle: Handle<Payload>
  /**
   * The handler's deadline in milliseconds, more than 0 and at most 2,147,483,647. After it the attempt counts as failed for
   * a passing reason (TIMEOUT), the signal is aborted and the slot is free. Default: the worker's `handlerTimeoutMs`. `null` or
   * `Infinity`: no deadline.
   */
  readonly timeoutMs?: number | null
  /**
   * Gives the handler `context.client`. The transaction is open while the handler runs: keep such handlers short. One that
   * goes on after its timeout finds the connection closed.
   */
  readonly transactional?: boolean
  /**
   * Whether an operator may rehearse it: run it on a parked command, in a transaction that is rolled back. A handler that
   * reaches outside that transaction (another service, a connection of its own) says `true` only when it looks at
   * `context.rehearsal` and leaves those alone. Default: false, also with `transactional`.
   */
  readonly rehearsable?: boolean
}

/** What `handlers` takes: a definition, or just the function where any JSON payload will do. */
// A definition's payload type is its own affair: its codec makes sure of it.
export type Handler = HandlerDefinition<never> | Handle<Json>

/** Ties the payload's type to its codec. */
export const defineHandler = <Payload>(definition: HandlerDefinition<Payload>): HandlerDefinition<never> =>
  definition as unknown as HandlerDefinition<never>

/** A definition whose payload has been decoded by the time it is handed on. */
export type AnyHandler = HandlerDefinition<unknown>

export const definitionOf = (handler: Handler): AnyHandler =>
  (typeof handler === 'function' ? { handle: handler } : handler) as unknown as AnyHandler

/** What is wrong with a handler, told when it is registered: at its first command it would be too late. */
export const handlerFault = (handler: unknown): string | null => {
  if (!isHandler(handler)) return 'must be a function, or what `defineHandler({ handle })` gives'
  const { payload, timeoutMs } = definitionOf(handler)
  if (payload !== undefined && typeof payload?.decode !== 'function') {
    return 'its payload must be an io-ts codec, or have a `decode` that gives an Either like one'
  }
  return timeoutMs === undefined || isTimeout(timeoutMs)
    ? null
    : `its timeoutMs must be more than 0 and at most ${MAX_TIMEOUT_MS}, or null for no deadline`
}

/** Whether this can be called at all; types say so already, where there are types. */
export const isHandler = (value: unknown): value is Handler =>
  typeof value === 'function' ||
  (typeof value === 'object' && value !== null && 'handle' in value && typeof value.handle === 'function')
