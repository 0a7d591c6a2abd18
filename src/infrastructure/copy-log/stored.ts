import { right } from 'fp-ts/lib/Either.js'
import { CommandBusError } from '../../application/shared/errors.ts'
import type { EventContext } from '../../domain/recorded.ts'
import type { EventCodec, StoredEvent } from '../codec/event-codec.ts'

/** Passes stored events through: a copy neither decodes nor upcasts them. */
export const storedCodec: EventCodec<StoredEvent> = {
  encode: event => event,
  decode: event => right({ event, context: unusedContext }),
}

/** Not used: the stored event has its own context. */
export const unusedContext: EventContext = {
  commandType: '',
  correlationId: '',
  causationId: null,
  replyTo: null,
  tenantId: null,
}

/** The log was not copied, or the copy differs from it. */
export class CopyLogError extends CommandBusError {
  override readonly name = 'CopyLogError'
  constructor(message: string, options?: ErrorOptions) {
    super('COPY_LOG', message, options)
  }
}

export const copyRefusal = (message: string): CopyLogError => new CopyLogError(message)

export interface CopyProgress {
  readonly phase: 'copying' | 'comparing'
  readonly done: number
  readonly total: number
}

export interface CopyLogOptions {
  readonly databaseUrl: string
  readonly eventStoreUrl: string
  /** The prefix of the log's stream names in EventStoreDB. Default: none. */
  readonly eventStorePrefix?: string
  readonly onProgress?: OnCopyProgress
}

export interface CopyBackOptions extends CopyLogOptions {
  /** A database from which declarations, views and alerts are copied, which the log does not have. Default: none. */
  readonly settingsFrom?: string
}

export interface CopiedLog {
  /** Events in both logs, each compared by stream, revision, id, type and contents. */
  readonly events: number
  readonly streams: number
}

export type OnCopyProgress = (progress: CopyProgress) => void
