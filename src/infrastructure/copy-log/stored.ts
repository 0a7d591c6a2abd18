import { right } from 'fp-ts/lib/Either.js'
import { CommandBusError } from '../../application/shared/errors.ts'
import type { EventContext } from '../../domain/recorded.ts'
import type { EventCodec, StoredEvent } from '../codec/event-codec.ts'

/** Events as they are stored, whatever they mean: what is copied is neither decoded nor brought up to date. */
export const storedCodec: EventCodec<StoredEvent> = {
  encode: event => event,
  decode: event => right({ event, context: notLookedAt }),
}

/** The stored event carries its own. */
export const notLookedAt: EventContext = {
  commandType: '',
  correlationId: '',
  causationId: null,
  replyTo: null,
  tenantId: null,
}

/** The log was not copied, or the copy is not what it is a copy of. */
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
  /** What the names of the log's streams begin with in EventStoreDB. Default: nothing. */
  readonly eventStorePrefix?: string
  readonly onProgress?: OnCopyProgress
}

export interface CopiedLog {
  /** Events in both logs now, each compared: stream, revision, id, type and contents. */
  readonly events: number
  readonly streams: number
}

export type OnCopyProgress = (progress: CopyProgress) => void
