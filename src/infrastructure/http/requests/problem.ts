import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import { PlanChangedError } from '../../../application/acting/plan-token.ts'
import { BatchFailedError, type BatchItem } from '../../../application/commands/batch-failed.ts'
import type { PlanChange } from '../../../application/ports/action-store.ts'
import { CommandBusError, InvalidInputError, InvalidPayloadError } from '../../../application/shared/errors.ts'
import { statusOfProblem } from '../../../contract/route.ts'
import { toPublicError } from '../../postgres/connection/errors.ts'
import { methodsAt } from './methods.ts'

const statusOf: Readonly<Record<string, number>> = {
  ...statusOfProblem,
  SCHEMA_VERSION: 503,
  PGMQ_MISSING: 503,
}

const codeOf: Readonly<Record<number, string>> = {
  400: 'INVALID_REQUEST',
  404: 'NOT_FOUND',
  408: 'REQUEST_TIMEOUT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'RATE_LIMITED',
  503: 'UNAVAILABLE',
}

const RETRY_AFTER_S = '2'

/** One fault of a request: where, and what is wrong. */
export interface Fault {
  readonly path: string
  readonly message: string
}

/** The request does not fit the route's declaration. */
export class RequestError extends CommandBusError {
  override readonly name = 'RequestError'
  readonly faults: readonly Fault[]
  constructor(faults: readonly Fault[]) {
    super('INVALID_REQUEST', faults.map(({ path, message }) => `${path}: ${message}`).join('; '))
    this.faults = faults
  }
}

/** What the problems of some codes say besides. */
interface MoreOfProblem {
  readonly results?: readonly BatchItem[]
  readonly changes?: readonly PlanChange[]
}

const moreOf = (error: CommandBusError): MoreOfProblem => {
  if (error instanceof BatchFailedError) return { results: error.results }
  return error instanceof PlanChangedError ? { changes: error.changes } : {}
}

/** Answers with `application/problem+json`. */
export const problem = (
  reply: FastifyReply,
  status: number,
  code: string,
  detail: string,
  errors: readonly Fault[] = [],
  more: MoreOfProblem = {},
): FastifyReply =>
  reply
    .code(status)
    .type('application/problem+json')
    .send(problemText(status, code, detail, reply.request.url, errors, more))

export const problemText = (
  status: number,
  code: string,
  detail: string,
  instance: string,
  errors: readonly Fault[] = [],
  more: MoreOfProblem = {},
): string =>
  JSON.stringify({
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail,
    instance: instance.slice(0, 500),
    ...(errors.length === 0 ? {} : { errors }),
    ...more,
  })

const faultsOf = (error: CommandBusError): readonly Fault[] => {
  if (error instanceof RequestError) return error.faults
  if (error instanceof InvalidInputError) {
    return [{ path: error.field, message: error.message.slice(error.field.length + 2) }]
  }
  if (error instanceof InvalidPayloadError) {
    return error.faults.map(fault => {
      const end = fault.indexOf(': ')
      return { path: `body.${fault.slice(0, end)}`, message: fault.slice(end + 2) }
    })
  }
  return []
}

/** Answers every refusal and failure in one form, without stack traces. */
export const addProblems = (app: FastifyInstance): void => {
  app.setNotFoundHandler((request, reply) => {
    const methods = methodsAt(request.url)
    if (methods.length > 0) reply.header('allow', methods.join(', '))
    const instead = methods.length === 0 ? '' : `: this address takes ${methods.join(' and ')}`
    return problem(
      reply,
      404,
      'NOT_FOUND',
      `there is nothing at ${request.method} ${request.url.slice(0, 500)}${instead}`,
    )
  })
  app.setErrorHandler((given: FastifyError, request, reply) => {
    const error = given.statusCode === undefined ? toPublicError(given) : given
    if (error instanceof CommandBusError) {
      const status = statusOf[error.code] ?? 500
      if (status === 401) reply.header('www-authenticate', 'Bearer')
      if (status === 503) reply.header('retry-after', RETRY_AFTER_S)
      if (status >= 500) request.log.error({ err: error }, 'a request failed')
      return problem(reply, status, error.code, error.message, status < 500 ? faultsOf(error) : [], moreOf(error))
    }
    const status = given.statusCode ?? (isDataError(given) ? 400 : 500)
    if (status < 500)
      return problem(
        reply,
        status,
        codeOf[status] ?? 'INVALID_REQUEST',
        sentenceOf(given, status, request.routeOptions.bodyLimit),
      )
    if (status === 503) reply.header('retry-after', RETRY_AFTER_S)
    request.log.error({ err: error }, 'a request failed')
    return problem(
      reply,
      status,
      codeOf[status] ?? 'INTERNAL',
      status === 503 ? 'the service is stopping: try again at once' : 'the service failed; its log says why',
    )
  })
}

/** A value that no column can store reached the database. */
const isDataError = (error: { readonly code?: string }): boolean => /^22\w{3}$/.test(error.code ?? '')

const MIB = 1_048_576

const sentenceOf = (error: FastifyError, status: number, bodyLimit: number): string => {
  if (isDataError(error) && status === 400) return 'a value in this request cannot be stored'
  if (status === 413) return `the body is too large: at most ${bodyLimit / MIB} MiB are accepted here`
  return status === 415 ? 'a body must be JSON, sent with content-type: application/json' : error.message
}
