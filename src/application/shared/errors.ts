import { brandErrors } from './brand.ts'

/** The base of this library's errors. `code` is stable; `message` says what to do. */
export class CommandBusError extends Error {
  override readonly name: string = 'CommandBusError'
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The request itself is wrong; `field` names the part. Nothing was done. */
export class InvalidInputError extends CommandBusError {
  override readonly name = 'InvalidInputError'
  readonly field: string
  constructor(field: string, message: string) {
    super('INVALID_REQUEST', `${field}: ${message}`)
    this.field = field
  }
}

/** An event is larger than the log accepts. Nothing was done. */
export class TooLargeError extends InvalidInputError {
  constructor(options?: { readonly cause?: unknown }) {
    super('data', TOO_LARGE)
    if (options !== undefined) this.cause = options.cause
  }
}

const TOO_LARGE =
  "larger than EventStoreDB takes in one append: make it smaller, or raise the server's MaxAppendSize (1 MiB by default)"

/** The handler's codec refuses the payload. Nothing was done. */
export class InvalidPayloadError extends CommandBusError {
  override readonly name = 'InvalidPayloadError'
  /** `path: what was expected` each, never the value itself. */
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super('INVALID_REQUEST', `the payload does not fit its handler: ${faults.join('; ')}`)
    this.faults = faults
  }
}

/** The domain has no command with this id, or it belongs to another tenant. */
export class CommandNotFoundError extends CommandBusError {
  override readonly name = 'CommandNotFoundError'
  constructor(domain: string, commandId: string) {
    super('COMMAND_NOT_FOUND', `no command ${commandId} in domain '${domain}'`)
  }
}

/** The command's present status does not allow this. */
export class InvalidOperationError extends CommandBusError {
  override readonly name = 'InvalidOperationError'
  readonly status: string
  constructor(message: string, status: string) {
    super('INVALID_OPERATION', message)
    this.status = status
  }
}

/** The domain already has a command with this id. Nothing was sent. */
export class DuplicateCommandError extends CommandBusError {
  override readonly name = 'DuplicateCommandError'
  readonly domain: string
  readonly commandId: string
  constructor(domain: string, commandId: string) {
    super('DUPLICATE_COMMAND', `command ${commandId} was already sent to domain '${domain}'; nothing was sent`)
    this.domain = domain
    this.commandId = commandId
  }
}

/** Another tenant has sent a command with this id. Nothing was sent. */
export class CommandIdTakenError extends CommandBusError {
  override readonly name = 'CommandIdTakenError'
  readonly domain: string
  readonly commandId: string
  constructor(domain: string, commandId: string) {
    super(
      'COMMAND_ID_TAKEN',
      `command id ${commandId} in domain '${domain}' belongs to another tenant; nothing was sent: take a new id, or make ids from business keys with commandIdFor`,
    )
    this.domain = domain
    this.commandId = commandId
  }
}

/** Only the bus itself sends commands of this domain. */
export class DomainReservedError extends CommandBusError {
  override readonly name = 'DomainReservedError'
  constructor(domain: string, instead: string) {
    super('DOMAIN_RESERVED', `domain '${domain}' is closed to plain sends and cancels: ${instead}`)
  }
}

/** Replies may not go to this queue. Nothing was sent. */
export class ReplyQueueRefusedError extends CommandBusError {
  override readonly name = 'ReplyQueueRefusedError'
  constructor(queue: string, why: string, field = 'replyTo') {
    super('REPLY_QUEUE_REFUSED', `${field}: '${queue}' ${why}`)
  }
}

/** The worker already has a handler for this command type, and keeps it. */
export class HandlerAlreadyRegisteredError extends CommandBusError {
  override readonly name = 'HandlerAlreadyRegisteredError'
  constructor(domain: string, commandType: string) {
    super(
      'HANDLER_ALREADY_REGISTERED',
      `domain '${domain}' already has a handler for '${commandType}'; the first one stays`,
    )
  }
}

/** The database, or another part that this process needs, is not available now. Nothing is half done. */
export class UnavailableError extends CommandBusError {
  override readonly name = 'UnavailableError'
  constructor(message: string, options?: ErrorOptions) {
    super('UNAVAILABLE', message, options)
  }
}

/** The send needs a new queue, and the limit of queues is reached. Nothing was done. */
export class TooManyQueuesError extends CommandBusError {
  override readonly name = 'TooManyQueuesError'
  constructor(message: string) {
    super('TOO_MANY_QUEUES', message)
  }
}

/** An open transaction has locked what this call needs for longer than it waits. Nothing was done. */
export class HeldError extends UnavailableError {
  constructor(what: string) {
    super(
      `${what} is locked by an open transaction (lock timeout): nothing of this was stored; find that transaction in pg_stat_activity, and try again when it has ended`,
    )
  }
}

/** Too many concurrent writers of one command: no retries are left. Try again. */
export class ContentionError extends CommandBusError {
  override readonly name = 'ContentionError'
  constructor(stream: string) {
    super('CONFLICT', `'${stream}' is changed by others too often: try again`)
  }
}

/** The caller is known, but may not do this. */
export class ForbiddenError extends CommandBusError {
  override readonly name = 'ForbiddenError'
  constructor(message: string) {
    super('FORBIDDEN', message)
  }
}

brandErrors({
  CommandBusError,
  InvalidInputError,
  InvalidPayloadError,
  CommandNotFoundError,
  InvalidOperationError,
  DuplicateCommandError,
  HandlerAlreadyRegisteredError,
  UnavailableError,
  ContentionError,
  ForbiddenError,
  CommandIdTakenError,
  DomainReservedError,
  ReplyQueueRefusedError,
  TooManyQueuesError,
})
