import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isLeft } from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import type { Caller } from '../../../application/access/caller.ts'
import type { Identity } from '../../../application/ports/authorization.ts'
import { type Api, api } from '../../../contract/index.ts'
import { BASE_PATH, type RequestOf, type ResponseOf, type Route } from '../../../contract/route.ts'
import type { Identify } from '../identity/identity.ts'
import { ageOf } from './age.ts'
import { csvAnswer, wantsCsv } from './csv-answer.ts'
import { faultsOf } from './faults.ts'
import { type Count, perMinute, turnsPerToken } from './limits.ts'
import { type Fault, RequestError } from './problem.ts'
import { HungUpError, readFor } from './reading.ts'

/** A handler of a declared route: its request is checked, its response is typed. */
export type HandlerOf<R extends Route> = (
  request: RequestOf<R>,
  caller: Caller,
  headers: Headers,
) => Promise<ResponseOf<R>>

/** Of the headers of a request. */
export interface Headers {
  /** Its W3C trace context, if it had one: commands continue it. */
  readonly trace: { readonly traceparent?: string }
  /** Whether the items of a list alone are answered. */
  readonly asCsv: boolean
}

export type Handlers = { readonly [Id in keyof Api]: HandlerOf<Api[Id]> }

export interface MountOptions {
  readonly identify: Identify
  /** With `reading`: for reads only, as `as` of a bus takes it. */
  readonly callerOf: (
    identity: Identity,
    reading?: {
      readonly signal: AbortSignal
      readonly fresh: boolean
      readonly onAge: (ageMs: number) => void
    },
  ) => Caller
  readonly handlers: Handlers
  /** Writes per minute and token; 0: no limit. */
  readonly writesPerMinute: number
  /** Reads per minute and token; 0: no limit. */
  readonly readsPerMinute: number
  /** A read that takes longer is ended. */
  readonly readTimeoutMs: number
  /** Streams of live events that one token may have open; 0: no limit. */
  readonly liveReadersPerToken: number
}

/** A batch of 10,000 commands is larger than one command may be. */
const BATCH_BODY_BYTES = 16 * 1_048_576

/** Per token: half of the connections for reads. */
const READS_AT_ONCE = 2

/** Mounts every declared route; identity, permission and request are checked in this order before its handler runs. */
export const mountApi = (app: FastifyInstance, options: MountOptions, countRead: Count): void => {
  const countWrite = perMinute(app, 'write', options.writesPerMinute)
  const takeTurn = turnsPerToken(READS_AT_ONCE)
  const callers = new WeakMap<FastifyRequest, Caller>()
  for (const [id, route] of Object.entries(api) as [keyof Api, Route][]) {
    const handle = options.handlers[id] as HandlerOf<Route>
    const count = route.method === 'GET' ? countRead : countWrite
    app.route({
      method: route.method,
      url: `${BASE_PATH}${route.path}`,
      ...(id === 'sendCommands' ? { bodyLimit: BATCH_BODY_BYTES } : {}),
      onRequest: async (request, reply) => {
        const caller = options.callerOf(await options.identify(request.headers.authorization))
        caller.demand(route.permission)
        await count(request, reply)
        callers.set(request, caller)
      },
      handler: async (request, reply) => {
        const checked = check(route, request)
        const caller = callers.get(request) as Caller
        const { traceparent } = request.headers
        const trace = typeof traceparent === 'string' ? { traceparent } : {}
        const headers = { trace, asCsv: wantsCsv(request) }
        if (!onlyReads(route, checked)) return send(route, request, reply, await handle(checked, caller, headers))
        const { fresh, onAge, tellAge } = ageOf(request, reply)
        try {
          const answer = await readFor(reply, options.readTimeoutMs, async signal => {
            const endTurn = await takeTurn(request, signal)
            try {
              return await handle(checked, options.callerOf(caller.identity, { signal, fresh, onAge }), headers)
            } finally {
              endTurn()
            }
          })
          tellAge()
          return send(route, request, reply, answer)
        } catch (error) {
          if (!(error instanceof HungUpError)) throw error
          return reply.hijack()
        }
      },
    })
  }
}

/** A dry run is a read, too. */
const onlyReads = (route: Route, { body }: RequestOf<Route>): boolean =>
  route.method === 'GET' || route.onlyReads === true || (body as { dryRun?: unknown } | undefined)?.dryRun === true

/** Decodes one part of a request. @throws RequestError */
export const checkPart = <A>(name: string, codec: t.Type<A, unknown, unknown>, value: unknown): A => {
  const decoded = codec.decode(value)
  if (isLeft(decoded)) throw new RequestError(faultsOf(name, decoded.left.slice(0, MAX_FAULTS)))
  return decoded.right
}

const check = (route: Route, request: FastifyRequest): RequestOf<Route> => {
  const faults: Fault[] = []
  const part = (name: string, codec: t.Mixed | null, value: unknown): unknown => {
    if (codec === null) return undefined
    const decoded = codec.decode(value)
    if (!isLeft(decoded)) return decoded.right
    faults.push(...faultsOf(name, decoded.left.slice(0, MAX_FAULTS)))
    return undefined
  }
  const checked = {
    params: part('path', route.params, request.params),
    query: part('query', route.query, request.query),
    body: part('body', route.body, request.body ?? {}),
  }
  if (faults.length > 0) throw new RequestError(faults.slice(0, MAX_FAULTS))
  return checked as RequestOf<Route>
}

const MAX_FAULTS = 20

const send = (route: Route, request: FastifyRequest, reply: FastifyReply, answer: unknown): FastifyReply => {
  const { location } = route.success
  if (location !== undefined) {
    const params = request.params as Record<string, string>
    const under = location.under.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
    reply.header('location', `${BASE_PATH}${under}/${(answer as Record<string, string>)[location.member]}`)
  }
  return reply
    .code(route.success.status)
    .header('cache-control', 'no-store')
    .send(csvAnswer(route, request, reply, answer) ?? answer)
}
