import type { Json } from '../../domain/json/json.ts'

interface ReplyFacts {
  readonly commandId: string
  readonly correlationId: string | null
  readonly domain: string | null
  readonly commandType: string | null
  /** ISO 8601. */
  readonly completedAt: string | null
}

/** Why a command did not succeed. */
export interface ReplyError {
  readonly code: string
  readonly message: string
  /** The kind of error, such as BUSINESS_RULE, TRANSIENT or OPERATOR. */
  readonly class: string | null
  readonly details?: Json
}

/** The reply of a command that was completed. */
export interface SuccessReply<Data = Json> extends ReplyFacts {
  readonly outcome: 'SUCCESS'
  /** What the handler returned, or the result that an operator gave. */
  readonly data: Data
}

/** The reply of a command that FAILED. */
export interface FailedReply extends ReplyFacts {
  readonly outcome: 'FAILED'
  readonly error: ReplyError
}

/** The reply of a command that was canceled; `reason` is what the one who canceled it wrote. */
export interface CanceledReply extends ReplyFacts {
  readonly outcome: 'CANCELED'
  readonly reason: string | null
  readonly error: ReplyError
}

/** What became of a command, as its sender is told. */
export type Reply = SuccessReply | FailedReply | CanceledReply

type Body = { readonly [name: string]: Json | undefined }

/** A message of a reply queue as a reply; null for any other message. Members that are missing become null. */
export const parseReply = (body: unknown): Reply | null => {
  const given = objectOf(body)
  const commandId = textOf(given.command_id)
  if (commandId === null) return null
  const facts: ReplyFacts = {
    commandId,
    correlationId: textOf(given.correlation_id),
    domain: textOf(given.domain),
    commandType: textOf(given.type)?.replace(/Response$/, '') ?? null,
    completedAt: textOf(given.completed_at),
  }
  switch (given.outcome) {
    case 'SUCCESS':
      return { ...facts, outcome: 'SUCCESS', data: given.data ?? given.result ?? null }
    case 'FAILED':
      return { ...facts, outcome: 'FAILED', error: errorOf(given) }
    case 'CANCELED':
      return { ...facts, outcome: 'CANCELED', reason: textOf(given.reason), error: errorOf(given) }
    default:
      return null
  }
}

/** Workers of other libraries say why in members beside the outcome, or in the result. */
const errorOf = (given: Body): ReplyError => {
  const error = objectOf(given.error)
  const result = objectOf(given.result)
  return {
    code: textOf(error.code) ?? textOf(given.error_code) ?? textOf(result.error_code) ?? 'UNKNOWN',
    message:
      textOf(error.message) ??
      textOf(given.error_message) ??
      textOf(result.error_message) ??
      'the reply says no reason',
    class: textOf(error.class),
    ...(error.details === undefined ? {} : { details: error.details }),
  }
}

const textOf = (value: Json | undefined): string | null => (typeof value === 'string' ? value : null)

const objectOf = (value: unknown): Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : {}
