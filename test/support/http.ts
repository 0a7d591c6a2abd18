import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { afterEach } from 'vitest'
import type { Role } from '../../src/index.ts'
import { createHttpApp } from '../../src/infrastructure/http/app.ts'
import { type ApiClient, createClient } from '../../src/infrastructure/http/contract/client.ts'
import { handlers } from '../../src/infrastructure/http/handlers.ts'
import { createIdentify, type IdentityOptions } from '../../src/infrastructure/http/identity.ts'
import { signToken } from '../../src/infrastructure/http/token.ts'
import { createTestBus, type TestBus } from './bus.ts'

export const SECRET = 'a secret of the tests only, long enough to sign with'

export interface TestApi extends TestBus {
  readonly app: FastifyInstance
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly token: (roles: readonly Role[], options?: { readonly sub?: string; readonly tenant?: string }) => Promise<string>
  readonly client: (token: string) => ApiClient
  /** A raw request with a token; the path stands below the base path. */
  readonly request: (method: string, path: string, options?: RawRequest) => Promise<Answer>
  /** Everything the server logged, one JSON text a line. */
  readonly logged: readonly string[]
}

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

interface Options {
  readonly identity?: IdentityOptions
  readonly writesPerMinute?: number
  readonly corsOrigins?: readonly string[]
}

/** The real server on a real port, over a bus on a fresh database. */
export const createTestApi = async (options: Options = {}): Promise<TestApi> => {
  const test = await createTestBus()
  const logged: string[] = []
  const app = await createHttpApp({
    log: pino({ level: 'debug' }, { write: line => void logged.push(line) }),
    version: '0.0.0',
    health: async () => ({ status: 'healthy', reasons: [], checks: {} }),
    facts: () => ({ running: [], commands: [] }),
    api: {
      identify: createIdentify(options.identity ?? { secret: SECRET }),
      callerOf: identity => test.bus.as(identity),
      handlers,
      writesPerMinute: options.writesPerMinute ?? 0,
    },
    corsOrigins: options.corsOrigins ?? [],
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  open.push(() => app.close())
  return {
    ...test,
    app,
    url,
    logged,
    token: (roles, { sub = 'jane@example.com', tenant } = {}) =>
      signToken({ secret: SECRET }, { subject: sub, tenant: tenant ?? null, roles }, 3600),
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
