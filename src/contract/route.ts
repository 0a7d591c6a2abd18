import type * as t from 'io-ts'
import type { Permission } from '../application/ports/authorization.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** Codes of the problems a route can answer with, besides those every route can. */
export type ProblemCode =
  | 'INVALID_REQUEST'
  | 'REPLY_QUEUE_REFUSED'
  | 'UNAUTHENTICATED'
  | 'INSUFFICIENT_CREDITS'
  | 'FORBIDDEN'
  | 'DOMAIN_RESERVED'
  | 'NOT_FOUND'
  | 'COMMAND_NOT_FOUND'
  | 'OPERATION_NOT_FOUND'
  | 'ACTION_NOT_FOUND'
  | 'RUN_NOT_FOUND'
  | 'SCHEDULE_NOT_FOUND'
  | 'ALERT_NOT_FOUND'
  | 'CONFLICT'
  | 'DUPLICATE_COMMAND'
  | 'COMMAND_ID_TAKEN'
  | 'SCHEDULE_NAME_TAKEN'
  | 'INVALID_OPERATION'
  | 'ALREADY_RUNNING'
  | 'PLAN_CHANGED'
  | 'PAYLOAD_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'RATE_LIMITED'
  | 'TOO_MANY_QUEUES'
  | 'UNAVAILABLE'
  | 'BATCH_FAILED'

/** The HTTP status of each code. */
export const statusOfProblem: Readonly<Record<ProblemCode, number>> = {
  INVALID_REQUEST: 400,
  REPLY_QUEUE_REFUSED: 400,
  UNAUTHENTICATED: 401,
  INSUFFICIENT_CREDITS: 402,
  FORBIDDEN: 403,
  DOMAIN_RESERVED: 403,
  NOT_FOUND: 404,
  COMMAND_NOT_FOUND: 404,
  OPERATION_NOT_FOUND: 404,
  ACTION_NOT_FOUND: 404,
  RUN_NOT_FOUND: 404,
  SCHEDULE_NOT_FOUND: 404,
  ALERT_NOT_FOUND: 404,
  CONFLICT: 409,
  DUPLICATE_COMMAND: 409,
  COMMAND_ID_TAKEN: 409,
  SCHEDULE_NAME_TAKEN: 409,
  INVALID_OPERATION: 409,
  ALREADY_RUNNING: 409,
  PLAN_CHANGED: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RATE_LIMITED: 429,
  TOO_MANY_QUEUES: 429,
  UNAVAILABLE: 503,
  BATCH_FAILED: 503,
}

/** One route, declared once: the server, the OpenAPI page and the typed client all read this. */
export interface Route {
  readonly method: Method
  /** Below the base path, with `:name` parameters. */
  readonly path: string
  readonly summary: string
  readonly tag: string
  readonly permission: Permission
  /** A POST that changes nothing: it uses the connections and the time limit of reads. */
  readonly onlyReads?: true
  readonly params: t.Mixed
  readonly query: t.Mixed
  /** `null`: none. */
  readonly body: t.Mixed | null
  /** The status and body of success. `location`: the Location header is `under`, followed by this member of the body. */
  readonly success: {
    readonly status: 200 | 201 | 202
    readonly body: t.Mixed
    readonly location?: { readonly under: string; readonly member: string }
  }
  readonly problems: readonly ProblemCode[]
}

export const BASE_PATH = '/api/v1'

/** Keeps the literal types of a declaration. */
export const route = <const R extends Route>(declared: R): R => declared

type Given<C> = C extends t.Mixed ? t.TypeOf<C> : undefined

/** What a handler of the route gets. */
export interface RequestOf<R extends Route> {
  readonly params: Given<R['params']>
  readonly query: Given<R['query']>
  readonly body: Given<R['body']>
}

/** What a handler of the route returns. */
export type ResponseOf<R extends Route> = t.TypeOf<R['success']['body']>
