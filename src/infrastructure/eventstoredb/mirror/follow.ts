import type { AllStreamRecordedEvent } from '@eventstore/db-client'
import type { ClientBase } from 'pg'
import type { FeedPosition } from '../../../application/ports/event-feed.ts'
import { EventDecodeError } from '../../../application/ports/event-store.ts'
import { fittingCount } from '../../../application/shared/fitting.ts'
import { heldBytes } from '../../../application/shared/json-size.ts'
import type { Json } from '../../../domain/json/json.ts'
import type { EventCodec } from '../../codec/event-codec.ts'
import {
  beginningsOf,
  feedEventOf,
  isMarked,
  isNamedLikeOurs,
  type OurStreams,
  positionText,
  storedOf,
  streamOf,
} from '../store/records.ts'
import type { Subscription } from '../store/subscription.ts'
import { type Arrived, FaultedError } from './mirror-plan.ts'
import type { Applied } from './waiting.ts'

export interface FollowOptions<Event> extends OurStreams {
  readonly codec: EventCodec<Event>
  readonly batch: number
  /** Applies a batch and its checkpoint in one transaction. Returns the events that have their rows and messages now. */
  readonly apply: (client: ClientBase, batch: readonly Arrived<Event>[]) => Promise<readonly Applied[]>
  /** Saves a checkpoint after events that were all skipped. */
  readonly save: (client: ClientBase, position: FeedPosition) => Promise<void>
  /** Whether the mirror has events of a stream. */
  readonly isMirrored: (client: ClientBase, stream: string) => Promise<boolean>
  /** Called with events that other programs wrote to streams named like the bus's. */
  readonly onPassedOver: (records: readonly AllStreamRecordedEvent[]) => void
  /** Everything up to `position` is done; `applied` are the new events. */
  readonly onMoved: (position: FeedPosition, applied: readonly Applied[]) => void
}

/** While events of others are skipped, the checkpoint is saved this often. */
const SAVE_EVERY_MS = 1_000

/**
 * Applies the events of a subscription until it fails. At an event that cannot be applied it throws an EventDecodeError or a
 * FaultedError; all events before it are applied.
 */
export const createFollow = <Event>(options: FollowOptions<Event>) => {
  const { codec, streamPrefix, batch, apply, save, isMirrored, onPassedOver, onMoved } = options
  const beginnings = beginningsOf(options)

  /**
   * An event without the marks of a bus belongs to another program, unless a bus began its stream. In such a stream it is a
   * damaged event of the bus, or one that was inserted.
   */
  const isOurs = async (
    client: ClientBase,
    record: AllStreamRecordedEvent,
    before: readonly Arrived<Event>[],
    mirrored: Map<string, boolean>,
  ): Promise<boolean> => {
    if (isMarked(record)) return true
    const stream = streamOf(record, streamPrefix)
    if (before.some(({ event }) => event.stream === stream)) return true
    const known = mirrored.get(stream) ?? (await isMirrored(client, stream))
    mirrored.set(stream, known)
    return known
  }

  const read = async (client: ClientBase, records: readonly AllStreamRecordedEvent[]) => {
    const events: Arrived<Event>[] = []
    const foreign: AllStreamRecordedEvent[] = []
    const mirrored = new Map<string, boolean>()
    for (const record of records) {
      if (!isNamedLikeOurs(record, beginnings)) continue
      if (!(await isOurs(client, record, events, mirrored))) {
        foreign.push(record)
        continue
      }
      try {
        events.push({ event: feedEventOf(codec, record, streamPrefix), stored: storedOf(record) })
      } catch (error) {
        if (error instanceof EventDecodeError) return { events, foreign, unreadable: error }
        throw error
      }
    }
    return { events, foreign, unreadable: null }
  }

  /** Applies smaller and smaller pieces, to find the one event that cannot be applied. */
  const applyPieces = async (client: ClientBase, events: readonly Arrived<Event>[]): Promise<void> => {
    let size = events.length
    for (let done = 0; done < events.length; ) {
      const piece = events.slice(done, done + fittingCount(events, { most: size, sizeOf }, done))
      const { event: last } = piece.at(-1) as Arrived<Event>
      try {
        const applied = await apply(client, piece)
        done += piece.length
        onMoved(last.position, applied)
      } catch (error) {
        if (!isOfData(error)) throw error
        if (piece.length === 1) {
          throw new FaultedError(last.stream, last.revision, `PostgreSQL refuses it: ${messageOf(error)}`, {
            cause: error,
          })
        }
        size = Math.ceil(piece.length / 2)
      }
    }
  }

  return async (client: ClientBase, subscription: Subscription): Promise<never> => {
    let saved = performance.now()
    /** Moves the position past events of others. */
    const passTo = async (position: FeedPosition): Promise<void> => {
      if (performance.now() - saved >= SAVE_EVERY_MS) {
        await save(client, position)
        saved = performance.now()
      }
      onMoved(position, [])
    }
    for (;;) {
      const arrival = await subscription.next(batch)
      if (arrival.kind === 'checkpoint') {
        await passTo(arrival.position)
        continue
      }
      const { events, foreign, unreadable } = await read(client, arrival.events)
      await applyPieces(client, events)
      if (foreign.length > 0) onPassedOver(foreign)
      if (unreadable !== null) throw unreadable
      const last = arrival.events.at(-1)
      if (last !== undefined && last === foreign.at(-1)) await passTo(positionText(last.position))
    }
  }
}

const sizeOf = ({ stored }: Arrived<unknown>): number => heldBytes(stored.data as Json)

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Whether a retry would fail as well: a bad value, a constraint, a function that raises. */
const isOfData = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && /^(22|23|P0)/.test(String(error.code))
