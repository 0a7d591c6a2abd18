import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type ApiClient, createClient } from '../../src/contract/client.ts'
import { type CommandBus, createCommandBus, type Role } from '../../src/index.ts'
import { createHttpApp } from '../../src/infrastructure/http/app.ts'
import type { HttpLimits } from '../../src/infrastructure/http/base-app.ts'
import { createHandlers } from '../../src/infrastructure/http/handlers/handlers.ts'
import { createIdentify, type IdentityOptions } from '../../src/infrastructure/http/identity/identity.ts'
import { signToken } from '../../src/infrastructure/http/identity/token.ts'
import type { ConsoleFiles } from '../../src/infrastructure/http/pages/console.ts'
import type { HealthReport } from '../../src/infrastructure/http/pages/health.ts'
import { createWatch } from '../../src/infrastructure/http/pages/watch.ts'
import type { ProofStats } from '../../src/infrastructure/proof/background-check.ts'
import { createTestBus, type TestBus, until } from './bus.ts'
import { createTestDatabase } from './database.ts'

export const SECRET = 'a secret of the tests only, long enough to sign with'

export interface Served {
  readonly app: FastifyInstance
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly token: (
    roles: readonly Role[],
    options?: { readonly sub?: string; readonly tenant?: string; readonly permissions?: readonly string[] },
  ) => Promise<string>
  readonly client: (token: string) => ApiClient
  /** Sends a raw request with a token; the path is relative to the base path. */
  readonly request: (method: string, path: string, options?: RawRequest) => Promise<Answer>
  /** Everything the server logged, one JSON text a line. */
  readonly logged: readonly string[]
}

export interface TestApi extends TestBus, Served {}

/** A server that the tests of a file share: no test may change what another one reads. */
export type SharedApi = Served & Pick<TestBus, 'bus' | 'database' | 'pool' | 'until'>

export interface RawRequest {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the server said
  readonly body: any
}

const open: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

export interface ApiOptions {
  readonly identity?: IdentityOptions
  readonly writesPerMinute?: number
  readonly readsPerMinute?: number
  readonly readTimeoutMs?: number
  readonly liveReadersPerToken?: number
  readonly corsOrigins?: readonly string[]
  readonly limits?: Partial<HttpLimits>
  readonly health?: () => Promise<HealthReport>
  readonly metrics?: () => Promise<string>
  readonly console?: ConsoleFiles | null
  readonly proof?: () => ProofStats | null
}

/** The real server on a real port, over a bus on a fresh database. */
export const createTestApi = async (
  options: ApiOptions = {},
  busOptions: Parameters<typeof createTestBus>[0] = {},
): Promise<TestApi> => {
  const test = await createTestBus(busOptions)
  const served = await serve(test.bus, options)
  open.push(() => served.app.close())
  return { ...test, ...served }
}

/** Handlers that rehearse parked commands of these domains; no worker uses them. */
const rehearsable = Object.fromEntries(
  ['payments', 'billing', 'shipping'].map(domain => [
    domain,
    { '*': { rehearsable: true, handle: () => ({ ok: true }) } },
  ]),
)

/** One server for all tests of a file or a block. */
export const sharedTestApi = (options: ApiOptions = {}): (() => SharedApi) => {
  let shared: SharedApi | undefined
  beforeAll(async () => {
    const database = await createTestDatabase()
    const alerts = { allowLocal: true }
    const bus = createCommandBus({ databaseUrl: database.url, handlers: rehearsable, alerts })
    shared = { bus, database, pool: database.pool, until, ...(await serve(bus, options)) }
  })
  afterAll(async () => {
    await shared?.app.close()
    await shared?.bus.close()
    await shared?.database.drop()
  })
  return () => {
    if (shared === undefined) throw new Error('the server of these tests did not start')
    return shared
  }
}

/** The real server over a bus; the caller closes it. */
export const serve = async (bus: CommandBus, options: ApiOptions = {}, port = 0): Promise<Served> => {
  const logged: string[] = []
  const identify = createIdentify(options.identity ?? { secret: SECRET })
  const app = await createHttpApp({
    log: pino({ level: 'debug' }, { write: line => void logged.push(line) }),
    version: '0.0.0',
    health: { health: options.health ?? (async () => ({ status: 'healthy', reasons: [], checks: {} })) },
    watch: createWatch(identify),
    ...(options.metrics === undefined
      ? {}
      : { metrics: { contentType: 'text/plain', page: options.metrics, open: false } }),
    facts: () => ({ running: [], commands: [] }),
    console: options.console ?? null,
    api: {
      identify,
      callerOf: (identity, reading) => bus.as(identity, reading),
      handlers: createHandlers({ proof: options.proof ?? (() => null) }),
      writesPerMinute: options.writesPerMinute ?? 0,
      readsPerMinute: options.readsPerMinute ?? 0,
      readTimeoutMs: options.readTimeoutMs ?? 10_000,
      liveReadersPerToken: options.liveReadersPerToken ?? 0,
    },
    corsOrigins: options.corsOrigins ?? [],
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
  const url = await app.listen({ host: '127.0.0.1', port })
  return {
    app,
    url,
    logged,
    token: (roles, { sub = 'jane@example.com', tenant, ...rights } = {}) =>
      signToken({ secret: SECRET }, { subject: sub, tenant: tenant ?? null, roles, ...rights }, 3600),
    client: token => createClient({ baseUrl: url, token: () => token }),
    request: async (method, path, { token, body, headers = {} } = {}) => {
      const response = await fetch(`${url}${path.startsWith('//') ? path.slice(1) : `/api/v1${path}`}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: parse(text) }
    },
  }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
