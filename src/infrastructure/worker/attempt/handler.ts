import type { ClientBase } from 'pg'
import { type AnyCommand, isCommandDefinition } from '../../../application/payloads/define-command.ts'
import { type PayloadSchema, schemaFault } from '../../../application/payloads/payload-schema.ts'
import type { HandledCommand } from '../../../application/ports/handled-command.ts'
import type { Log } from '../../../application/ports/log.ts'
import { type SensitivePath, sensitiveFault } from '../../../application/sensitive/sensitive-paths.ts'
import type { Json } from '../../../domain/json/json.ts'
import { isTimeout, MAX_TIMEOUT_MS } from './deadline.ts'

/** The second argument of a handler. */
export interface HandlerContext<Payload = Json> {
  readonly command: HandledCommand<Payload>
  /** 1 for the first attempt of a round; an operator's retry starts a new round. */
  readonly attempt: number
  readonly maxAttempts: number
  /** All attempts of the command so far, with those of earlier rounds and this one. */
  readonly totalAttempts: number
  /** Aborted at the handler's timeout, when the lease is lost, and at the deadline of `stop`. */
  readonly signal: AbortSignal
  /** Extends the lease to `seconds` from now. Rarely needed: the worker's heartbeat extends it. */
  readonly extendVisibility: (seconds: number) => Promise<void>
  readonly log: Log
  /** True in a rehearsal: the handler must do nothing that a rollback does not undo. False in a real run. */
  readonly rehearsal: boolean
  /**
   * Only with `transactional: true`: a client in the transaction that completes the command. Its writes commit with the
   * completion or not at all. Do not end the transaction.
   */
  readonly client: ClientBase
}

/** Returns the result (any JSON value; undefined means null), or throws one of the command errors. */
export type Handle<Payload> = (data: Payload, context: HandlerContext<Payload>) => Promise<unknown> | unknown

/** A handler, and what its worker has to know of it. */
export interface HandlerDefinition<Payload> {
  /**
   * An io-ts codec or a Standard Schema (zod, valibot, arktype and others). The handler receives what it makes of the payload; a
   * payload that it refuses parks the command as INVALID_PAYLOAD.
   */
  readonly payload?: PayloadSchema<Payload>
  /** Instead of `payload`: what `defineCommand` returned, with its schema and its sensitive members. */
  readonly command?: AnyCommand<Payload>
  readonly handle: Handle<Payload>
  /**
   * The handler's deadline in milliseconds, more than 0 and at most 2,147,483,647. After it the attempt fails as TRANSIENT
   * (code TIMEOUT), the signal is aborted, and the worker's slot is free. Default: the worker's `handlerTimeoutMs`.
   * `null` or `Infinity`: no deadline.
   */
  readonly timeoutMs?: number | null
  /**
   * Gives the handler `context.client`. The transaction is open while the handler runs, so keep such handlers short. After the
   * timeout the connection is closed.
   */
  readonly transactional?: boolean
  /**
   * Whether an operator may rehearse it: run it on a parked command, in a transaction that is rolled back. A handler that
   * calls another service or uses another connection may set `true` only if it checks `context.rehearsal` and skips this in
   * a rehearsal. Default: false, also with `transactional`.
   */
  readonly rehearsable?: boolean
  /**
   * Members of the payload and the result that only permission `reveal` shows, as paths like `card.number` or `items.*.iban`.
   * Their values in the payload are also taken out of errors, before these are written.
   * The worker declares them when it starts, for every process; they stay hidden until `bus.sensitive.remove`.
   */
  readonly sensitive?: readonly string[]
}

/** A handler's definition, or only its function where any JSON payload is valid. */
// never: each definition's codec checks its own payload type
export type Handler = HandlerDefinition<never> | Handle<Json>

/**
 * Defines a handler whose payload has the type of its codec or schema.
 * @example
 * const refund = defineHandler({
 *   payload: t.type({ orderId: t.string, amount: t.number }),
 *   timeoutMs: 30_000,
 *   handle: async ({ orderId, amount }, { signal }) => refunds.create(orderId, amount, signal),
 * })
 */
export const defineHandler = <Payload>(definition: HandlerDefinition<Payload>): HandlerDefinition<never> =>
  definition as unknown as HandlerDefinition<never>

/** A definition for a payload that is already decoded. */
export type AnyHandler = HandlerDefinition<unknown>

export const definitionOf = (handler: Handler): AnyHandler => {
  const given = (typeof handler === 'function' ? { handle: handler } : handler) as unknown as AnyHandler
  const { command } = given
  return command === undefined
    ? given
    : { ...given, payload: command.payload, sensitive: [...command.sensitive, ...(given.sensitive ?? [])] }
}

/** What is wrong with a handler, checked when it is registered; null: nothing. */
export const handlerFault = (handler: unknown, domain: string, commandType: string): string | null => {
  if (!isHandler(handler)) return 'must be a function, or what `defineHandler({ handle })` returns'
  const misplaced = commandFault(handler, domain, commandType)
  if (misplaced !== null) return misplaced
  const { payload, timeoutMs, sensitive } = definitionOf(handler)
  const hidden = sensitive === undefined ? null : sensitiveFault(sensitive)
  if (hidden !== null) return `its sensitive ${hidden}`
  const unfit = payload === undefined ? null : schemaFault(payload)
  if (unfit !== null) return `its payload ${unfit}`
  return timeoutMs === undefined || isTimeout(timeoutMs)
    ? null
    : `its timeoutMs must be more than 0 and at most ${MAX_TIMEOUT_MS}, or null for no deadline`
}

/** What is wrong with the command of a handler. */
const commandFault = (handler: Handler, domain: string, commandType: string): string | null => {
  const { command, payload } = handler as Partial<AnyHandler>
  if (command === undefined) return null
  if (!isCommandDefinition(command)) return 'its command must be what `defineCommand` returns'
  if (payload !== undefined) return 'give it `command` or `payload`, not both'
  return command.domain === domain && command.commandType === commandType
    ? null
    : `its command is '${command.commandType}' of domain '${command.domain}', not '${commandType}' of domain '${domain}'`
}

/** Checked at run time for callers without types. */
export const isHandler = (value: unknown): value is Handler =>
  typeof value === 'function' ||
  (typeof value === 'object' && value !== null && 'handle' in value && typeof value.handle === 'function')

/** What handlers declare as sensitive, by domain and command type. */
export const sensitiveOf = (handlers: {
  readonly [domain: string]: { readonly [commandType: string]: Handler }
}): readonly SensitivePath[] =>
  Object.entries(handlers).flatMap(([domain, ofDomain]) =>
    Object.entries(ofDomain).flatMap(([commandType, handler]) =>
      (definitionOf(handler).sensitive ?? []).map(path => ({ domain, commandType, path })),
    ),
  )
