import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isLeft } from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import type { Caller } from '../../application/caller.ts'
import type { Identity } from '../../application/ports/authorization.ts'
import { faultsOf } from '../codec/json.ts'
import { type Api, api } from './contract/index.ts'
import { BASE_PATH, type RequestOf, type ResponseOf, type Route } from './contract/route.ts'
import type { Identify } from './identity.ts'
import { RequestError } from './problem.ts'

/** A handler of a declared route: what it gets is checked, what it gives is typed. */
export type HandlerOf<R extends Route> = (request: RequestOf<R>, caller: Caller) => Promise<ResponseOf<R>>

export type Handlers = { readonly [Id in keyof Api]: HandlerOf<Api[Id]> }

export interface MountOptions {
  readonly identify: Identify
  readonly callerOf: (identity: Identity) => Caller
  readonly handlers: Handlers
  /** Writes a minute and token; 0: no limit. */
  readonly writesPerMinute: number
}

/** A batch of 10,000 commands is larger than one command may be. */
const BATCH_BODY_BYTES = 16 * 1_048_576

/** Every declared route, with identity, permission and request checked in this order before its handler runs. */
export const mountApi = (app: FastifyInstance, options: MountOptions): void => {
  const callers = new WeakMap<FastifyRequest, Caller>()
  for (const [id, route] of Object.entries(api) as [keyof Api, Route][]) {
    const handle = options.handlers[id] as HandlerOf<Route>
    app.route({
      method: route.method,
      url: `${BASE_PATH}${route.path}`,
      ...(id === 'sendCommands' ? { bodyLimit: BATCH_BODY_BYTES } : {}),
      config: {
        rateLimit:
          route.method === 'GET' || options.writesPerMinute === 0
            ? false
            : { max: options.writesPerMinute, timeWindow: 60_000, keyGenerator: tokenOf, hook: 'onRequest' },
      },
      onRequest: async request => {
        const caller = options.callerOf(await options.identify(request.headers.authorization))
        caller.demand(route.permission)
        callers.set(request, caller)
      },
      handler: async (request, reply) => {
        const checked = check(route, request)
        const answer = await handle(checked, callers.get(request) as Caller)
        return send(route, request, reply, answer)
      },
    })
  }
}

/** Limits count by token, without keeping it. */
const tokenOf = (request: FastifyRequest): string =>
  createHash('sha256')
    .update(request.headers.authorization ?? request.ip)
    .digest('base64url')

const check = (route: Route, request: FastifyRequest): RequestOf<Route> => {
  const faults: { path: string; message: string }[] = []
  const part = (name: string, codec: t.Mixed | null, value: unknown): unknown => {
    if (codec === null) return undefined
    const decoded = codec.decode(value)
    if (!isLeft(decoded)) return decoded.right
    for (const fault of faultsOf(decoded.left)) {
      const [path = name, ...message] = fault.split(': ')
      faults.push({ path: path === 'the value' ? name : path, message: message.join(': ') })
    }
    return undefined
  }
  const checked = {
    params: part('path', route.params, request.params),
    query: part('query', route.query, request.query),
    body: part('body', route.body, request.body ?? {}),
  }
  if (faults.length > 0) throw new RequestError(dedupe(faults))
  return checked as RequestOf<Route>
}

const MAX_FAULTS = 20

/** An intersection reports a fault once for each of its sides. */
const dedupe = (faults: readonly { path: string; message: string }[]) =>
  [...new Map(faults.map(fault => [`${fault.path} ${fault.message}`, fault])).values()].slice(0, MAX_FAULTS)

const send = (route: Route, request: FastifyRequest, reply: FastifyReply, answer: unknown): FastifyReply => {
  if (route.success.location === true) {
    const { commandId } = answer as { readonly commandId: string }
    reply.header('location', `${request.url.split('?')[0]}/${commandId}`)
  }
  return reply.code(route.success.status).header('cache-control', 'no-store').send(answer)
}
