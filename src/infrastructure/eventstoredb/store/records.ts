import type { AllStreamRecordedEvent, Position, RecordedEvent } from '@eventstore/db-client'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { FeedEvent, FeedPosition } from '../../../application/ports/event-feed.ts'
import { EventDecodeError } from '../../../application/ports/event-store.ts'
import type { Recorded } from '../../../domain/recorded.ts'
import type { EventCodec, StoredEvent } from '../../codec/event-codec.ts'

const POSITION = /^(\d{1,20})\/(\d{1,20})$/

/** A position is `<commit>/<prepare>`: numbers with gaps, too large for exact JavaScript numbers. */
export const positionText = ({ commit, prepare }: Position): FeedPosition => `${commit}/${prepare}`

export const parsePosition = (position: FeedPosition): Position => {
  const [, commit, prepare] = POSITION.exec(position) ?? []
  if (commit === undefined || prepare === undefined)
    throw new Error(`'${position.slice(0, 50)}' is not a valid feed position`)
  return { commit: BigInt(commit), prepare: BigInt(prepare) }
}

export const isAfter = (a: Position, b: Position): boolean =>
  a.commit === b.commit ? a.prepare > b.prepare : a.commit > b.commit

/** Which streams of an EventStoreDB belong to this log. */
export interface OurStreams {
  /** The prefix of all stream names of this installation. Default: none. */
  readonly streamPrefix?: string
  /** The beginnings of this log's stream names, after the prefix. */
  readonly prefixes: readonly string[]
}

/** The beginnings of this log's stream names in EventStoreDB. */
export const beginningsOf = ({ streamPrefix = '', prefixes }: OurStreams): readonly string[] =>
  prefixes.map(prefix => streamPrefix + prefix)

/** Whether the stream is named like this log's. Other programs may use such names, too. Types with `$` are the server's. */
export const isNamedLikeOurs = ({ streamId, type }: RecordedEvent, beginnings: readonly string[]): boolean =>
  !type.startsWith('$') && beginnings.some(beginning => streamId.startsWith(beginning))

/** Whether a bus wrote the event: every version of the bus writes these members. */
export const isMarked = ({ metadata }: RecordedEvent): boolean => {
  if (typeof metadata !== 'object' || metadata === null) return false
  const { v, at, actor, context } = metadata as Readonly<Record<string, unknown>>
  return (
    typeof v === 'number' &&
    typeof at === 'string' &&
    typeof actor === 'string' &&
    typeof context === 'object' &&
    context !== null
  )
}

/** The three stored parts. A part that is not a JSON object is found by `decode`, not by a crash. */
export const storedOf = ({ type, data, metadata }: RecordedEvent): StoredEvent => ({
  type,
  data: data as object,
  meta: (metadata ?? {}) as object,
})

/** The name of a stream without the prefix of this installation. */
export const streamOf = ({ streamId }: RecordedEvent, streamPrefix = ''): string => streamId.slice(streamPrefix.length)

export const decodeRecord = <Event>(
  codec: EventCodec<Event>,
  record: RecordedEvent,
  streamPrefix?: string,
): Recorded<Event> => {
  const stream = streamOf(record, streamPrefix)
  const revision = Number(record.revision)
  const decoded = codec.decode(storedOf(record))
  if (isLeft(decoded)) {
    throw new EventDecodeError(stream, revision, isMarked(record) ? decoded.left : [...decoded.left, FOREIGN])
  }
  return { stream, revision, id: record.id, ...decoded.right }
}

const FOREIGN =
  'a command bus did not write this event: where others use this EventStoreDB, give this installation a prefix (EVENTSTORE_PREFIX)'

export const feedEventOf = <Event>(
  codec: EventCodec<Event>,
  record: AllStreamRecordedEvent,
  streamPrefix?: string,
): FeedEvent<Event> => ({
  ...decodeRecord(codec, record, streamPrefix),
  position: positionText(record.position),
  recordedAt: record.created.toISOString(),
  msgId: null,
})
