import { randomUUID } from 'node:crypto'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { Client, ClientBase, Pool } from 'pg'
import { TransientCommandError } from '../../application/commands/command-errors.ts'
import type { Log } from '../../application/ports/log.ts'
import type { RehearsalAnswer, RehearsalRequest, Rehearsals } from '../../application/ports/rehearsals.ts'
import { type HideValues, hidingValuesOf } from '../../application/sensitive/hide-values.ts'
import type { SensitivePaths } from '../../application/sensitive/sensitive-paths.ts'
import { parseJson } from '../../application/shared/json.ts'
import type { Json } from '../../domain/json/json.ts'
import { rawClient } from '../postgres/connection/facade.ts'
import { needsSession } from '../postgres/connection/pooling.ts'
import { poolingOf } from '../postgres/transactions/pool.ts'
import { limitOf } from '../worker/attempt/deadline.ts'
import type { AnyHandler, HandlerContext } from '../worker/attempt/handler.ts'
import { guardedClient, transactionEnded } from '../worker/client/guarded-client.ts'
import { failure, failureOf, type MapError } from '../worker/failures/failures.ts'
import { decodedPayload, failedAtOnce, schemaFaults } from './payload.ts'
import { createPlaces } from './places.ts'
import { whyNot } from './rehearsable.ts'
import { beginRehearsal, checkAtEnd, type KeptConnection, rollBack, sentIn, undo } from './transaction.ts'

/** The handlers of a domain. */
export interface KnownHandlers {
  readonly handlerOf: (commandType: string) => AnyHandler | undefined
  readonly mapError?: MapError | undefined
}

export interface DomainHandlers {
  /** Undefined: no handlers of the domain are known. */
  readonly of: (domain: string) => KnownHandlers | undefined
  readonly domains: () => readonly string[]
}

export interface InProcessOptions {
  readonly pool: Pool
  readonly handlers: DomainHandlers
  readonly log: Log
  /** Members whose values errors do not name. */
  readonly sensitive: Pick<SensitivePaths, 'known'>
  /** Called when the handler is about to run. */
  readonly onBegan?: () => void
  /** Names the rehearsal to the database. */
  readonly id?: () => string
  /** Keeps the connection for the next rehearsal. Only where there is one at a time. */
  readonly kept?: KeptConnection
}

/** Rehearses in this process: a handler that crashes its process crashes this one. */
export const createRehearsals = (options: InProcessOptions): Rehearsals => {
  const inPlace = createPlaces('rehearsals are running')
  return {
    domains: async () => [...options.handlers.domains()].sort(),
    faultsOf: async (domain, commandType, data) => {
      const schema = options.handlers.of(domain)?.handlerOf(commandType)?.payload
      return schema === undefined ? [] : schemaFaults(schema, data)
    },
    run: request => inPlace(request.command.tenantId, () => rehearse(options, request)),
  }
}

const rehearse = async (options: InProcessOptions, request: RehearsalRequest): Promise<RehearsalAnswer> => {
  const { domain, commandType } = request.command
  const known = options.handlers.of(domain)
  if (known === undefined) return { kind: 'refused', why: `no handler of domain '${domain}' is known here: ${whereTo}` }
  const handler = known.handlerOf(commandType)
  const hide = await hidingIn(options, handler, request)
  if (handler === undefined) return failedAtOnce('NO_HANDLER', 'no handler is registered for this type', hide)
  const why = whyNot(handler, commandType)
  if (why !== null) return { kind: 'refused', why }
  const payload = await decodedPayload(handler.payload, request, known.mapError, hide)
  if (isLeft(payload)) return payload.left
  const given = { ...request, command: { ...request.command, data: payload.right }, hide }
  return handler.transactional === true
    ? inTransaction(options, known, handler, given)
    : perform(options, known, handler, given, null)
}

const whereTo =
  'run `commandbus rehearse <id> --handlers <module>` where they are, or give them to the bus (`handlers`) or to the service (`start --rehearse-with <module>`)'

const hidingIn = async (
  { sensitive }: InProcessOptions,
  handler: AnyHandler | undefined,
  { command: { domain, commandType, data } }: RehearsalRequest,
): Promise<HideValues> => {
  const own = (handler?.sensitive ?? []).map(path => ({ domain, commandType, path }))
  return hidingValuesOf(data as Json, [...own, ...(await sensitive.known())], { domain, commandType })
}

interface Given extends Omit<RehearsalRequest, 'command'> {
  readonly command: HandlerContext<unknown>['command']
  readonly hide: HideValues
}

const inTransaction = async (
  options: InProcessOptions,
  known: KnownHandlers,
  handler: AnyHandler,
  given: Given,
): Promise<RehearsalAnswer> => {
  if ((await poolingOf(options.pool)) === 'transaction') return { kind: 'refused', why: needsSession('a rehearsal') }
  const id = options.id?.() ?? randomUUID()
  const { kept } = options
  const client = await beginRehearsal(options.pool, id, given.deadlineMs, kept)
  const guarded = guardedClient(rawClient(client))
  const answer = await perform(options, known, handler, given, guarded.client)
  guarded.close()
  if (answer.kind === 'timeout') {
    // the handler may still run
    await undo(options.pool, id)
    await client.end().catch(() => {})
    return answer
  }
  const settled = await settle(client, answer, guarded.tried(), known.mapError, given)
  // a handler that was cut off may still run, and one may have left something on its session
  const isClean = !guarded.isMarked() && !(answer.kind === 'failed' && answer.error.code === 'TIMEOUT')
  await rollBack(client, isClean ? kept : null)
  return settled
}

/** The result of a success at its commit. */
const settle = async (
  client: Client,
  answer: RehearsalAnswer,
  tried: string | null,
  mapError: MapError | undefined,
  { hide, withSent }: Pick<Given, 'hide' | 'withSent'>,
): Promise<RehearsalAnswer> => {
  if (answer.kind !== 'succeeded') return answer
  const { durationMs } = answer
  if (tried !== null) return { kind: 'failed', error: transactionEnded(tried), durationMs }
  try {
    await checkAtEnd(client)
    return withSent === true ? { ...answer, sent: await sentIn(client) } : answer
  } catch (error) {
    const { message } = failureOf(error, mapError, hide)
    return { kind: 'failed', error: failure('TRANSIENT', 'TRANSACTION_FAILED', message), durationMs }
  }
}

const perform = async (
  options: InProcessOptions,
  known: KnownHandlers,
  handler: AnyHandler,
  given: Given,
  client: ClientBase | null,
): Promise<RehearsalAnswer> => {
  const abort = new AbortController()
  const clocks: NodeJS.Timeout[] = []
  const after = (ms: number): Promise<void> => new Promise(resolve => clocks.push(setTimeout(resolve, ms)))
  options.onBegan?.()
  const began = performance.now()
  const took = (): number => Math.round(performance.now() - began)
  const late: Promise<RehearsalAnswer> = after(given.deadlineMs).then(() => {
    const message = `the handler did not end within ${given.deadlineMs} ms`
    abort.abort(new TransientCommandError('REHEARSAL_TIMEOUT', message))
    return { kind: 'timeout', message, durationMs: took() }
  })
  // the rehearsal's own deadline is shorter than the default of a worker
  const limitMs = limitOf(handler.timeoutMs, null)
  const own = limitMs === null ? [] : [after(limitMs).then(() => stopped(limitMs, abort))]
  const run = async (): Promise<RehearsalAnswer> => {
    try {
      const context = contextOf(options, given, abort, client)
      const result = await Promise.race([handler.handle(given.command.data, context), ...own])
      const json = parseJson(result ?? null, { root: 'result', before: 'returning' })
      if (!isLeft(json)) return { kind: 'succeeded', result: json.right, durationMs: took() }
      const message = `the handler's result cannot be stored: ${json.left}`
      return { kind: 'failed', error: failure('PERMANENT', 'INVALID_RESULT', message), durationMs: took() }
    } catch (thrown) {
      return { kind: 'failed', error: failureOf(thrown, known.mapError, given.hide), durationMs: took() }
    }
  }
  try {
    return await Promise.race([run(), late])
  } finally {
    for (const clock of clocks) clearTimeout(clock)
  }
}

const stopped = (timeoutMs: number, abort: AbortController): never => {
  const error = new TransientCommandError('TIMEOUT', `the handler did not end within ${timeoutMs} ms`)
  abort.abort(error)
  throw error
}

const contextOf = (
  { log }: InProcessOptions,
  { command, attempt, maxAttempts, totalAttempts }: Given,
  abort: AbortController,
  client: ClientBase | null,
): HandlerContext<unknown> => ({
  command,
  attempt,
  maxAttempts,
  totalAttempts,
  signal: abort.signal,
  extendVisibility: async () => {},
  log,
  rehearsal: true,
  get client() {
    if (client !== null) return client
    const { commandType } = command
    throw new Error(`context.client needs transactional: true; set it on the handler of '${commandType}'`)
  },
})
