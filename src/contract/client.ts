import type { Api } from './index.ts'
import { api } from './index.ts'
import { BASE_PATH, type RequestOf, type ResponseOf, type Route } from './route.ts'

export interface RequestFault {
  readonly path: string
  readonly message: string
}

/** A problem the server answered with. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'
  readonly status: number
  readonly code: string
  readonly detail: string
  /** Where the request was wrong, and how. */
  readonly errors: readonly RequestFault[]
  constructor(status: number, code: string, detail: string, errors: readonly RequestFault[] = []) {
    super(detail)
    this.status = status
    this.code = code
    this.detail = detail
    this.errors = errors
  }
}

/** A part may be left out when it may be empty. */
type Part<Name extends string, A> = [A] extends [undefined]
  ? { readonly [N in Name]?: undefined }
  : Record<never, never> extends A
    ? { readonly [N in Name]?: A }
    : { readonly [N in Name]: A }

export type CallOf<R extends Route> = Part<'params', RequestOf<R>['params']> &
  Part<'query', RequestOf<R>['query']> &
  Part<'body', RequestOf<R>['body']>

export interface CallOptions {
  readonly signal?: AbortSignal
}

export type ApiClient = {
  readonly [Id in keyof Api]: Record<never, never> extends CallOf<Api[Id]>
    ? (call?: CallOf<Api[Id]>, options?: CallOptions) => Promise<ResponseOf<Api[Id]>>
    : (call: CallOf<Api[Id]>, options?: CallOptions) => Promise<ResponseOf<Api[Id]>>
}

export interface ClientOptions {
  /** Where the server is, without the base path; '' in a page it served. */
  readonly baseUrl: string
  readonly token: () => string | null
  readonly fetch?: typeof fetch
}

interface AnyCall {
  readonly params?: Record<string, unknown>
  readonly query?: Record<string, unknown>
  readonly body?: unknown
}

/** A typed function for every route, from the same declaration the server checks requests with. */
export const createClient = ({ baseUrl, token, fetch: send = fetch }: ClientOptions): ApiClient => {
  const call = async (
    route: Route,
    { params = {}, query = {}, body }: AnyCall = {},
    { signal }: CallOptions = {},
  ): Promise<unknown> => {
    const path = route.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])))
    const given = Object.entries(query).filter(([, value]) => value !== undefined)
    const search = new URLSearchParams(
      Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
    ).toString()
    const bearer = token()
    const response = await send(`${baseUrl}${BASE_PATH}${path}${search === '' ? '' : `?${search}`}`, {
      method: route.method,
      headers: {
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(route.body === null ? {} : { 'content-type': 'application/json' }),
      },
      ...(route.body === null ? {} : { body: JSON.stringify(body ?? {}) }),
      ...(signal === undefined ? {} : { signal }),
    })
    const answer = await response.json().catch(() => null)
    if (!response.ok) {
      const { code = 'UNKNOWN', detail = response.statusText, errors } = (answer ?? {}) as Partial<ApiProblem>
      throw new ApiProblem(response.status, code, detail, errors)
    }
    return answer
  }
  return Object.fromEntries(
    Object.entries(api).map(([id, route]) => [id, (given?: AnyCall, more?: CallOptions) => call(route, given, more)]),
  ) as unknown as ApiClient
}
