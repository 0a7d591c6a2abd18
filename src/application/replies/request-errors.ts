import { brandErrors } from '../shared/brand.ts'
import { CommandBusError } from '../shared/errors.ts'
import type { CanceledReply, FailedReply, ReplyError } from './reply.ts'

/** The requested command FAILED: a business rule refused it, or its last attempt failed. */
export class RequestFailedError extends CommandBusError {
  override readonly name = 'RequestFailedError'
  readonly domain: string
  readonly commandId: string
  readonly error: ReplyError
  constructor(domain: string, { commandId, error }: FailedReply) {
    super('REQUEST_FAILED', `command ${commandId} of domain '${domain}' failed: ${error.code}: ${error.message}`)
    this.domain = domain
    this.commandId = commandId
    this.error = error
  }
}

/** The requested command was canceled. */
export class RequestCanceledError extends CommandBusError {
  override readonly name = 'RequestCanceledError'
  readonly domain: string
  readonly commandId: string
  readonly error: ReplyError
  readonly reason: string | null
  constructor(domain: string, { commandId, error, reason }: CanceledReply) {
    super('REQUEST_CANCELED', `command ${commandId} of domain '${domain}' was canceled: ${reason ?? error.message}`)
    this.domain = domain
    this.commandId = commandId
    this.error = error
    this.reason = reason
  }
}

/** No reply came in time. The command goes on, and its reply will stay on the queue `replyTo`. */
export class RequestTimedOutError extends CommandBusError {
  override readonly name = 'RequestTimedOutError'
  readonly domain: string
  readonly commandId: string
  readonly replyTo: string
  readonly timeoutMs: number
  constructor(domain: string, commandId: string, replyTo: string, timeoutMs: number) {
    super(
      'REQUEST_TIMED_OUT',
      `no reply to command ${commandId} of domain '${domain}' within ${timeoutMs} ms: the command goes on, so look it up ` +
        `by its id instead of sending it again; its reply will stay on queue '${replyTo}'`,
    )
    this.domain = domain
    this.commandId = commandId
    this.replyTo = replyTo
    this.timeoutMs = timeoutMs
  }
}

brandErrors({ RequestFailedError, RequestCanceledError, RequestTimedOutError })
