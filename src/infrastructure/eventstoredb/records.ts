import type { AllStreamRecordedEvent, Position, RecordedEvent } from '@eventstore/db-client'
import { isLeft } from 'fp-ts/lib/Either.js'
import type { FeedEvent, FeedPosition } from '../../application/ports/event-feed.ts'
import { EventDecodeError } from '../../application/ports/event-store.ts'
import type { Recorded } from '../../domain/recorded.ts'
import type { EventCodec, StoredEvent } from '../codec/event-codec.ts'

const POSITION = /^(\d{1,20})\/(\d{1,20})$/

/** A position is `<commit>/<prepare>`: numbers past what JavaScript counts exactly, with gaps between them. */
export const positionText = ({ commit, prepare }: Position): FeedPosition => `${commit}/${prepare}`

export const parsePosition = (position: FeedPosition): Position => {
  const [, commit, prepare] = POSITION.exec(position) ?? []
  if (commit === undefined || prepare === undefined) throw new Error(`'${position.slice(0, 50)}' is no feed position`)
  return { commit: BigInt(commit), prepare: BigInt(prepare) }
}

export const isAfter = (a: Position, b: Position): boolean =>
  a.commit === b.commit ? a.prepare > b.prepare : a.commit > b.commit

/** Our streams among those of others; what begins with `$` is the server's own, links included. */
export const isOurs = ({ streamId, type }: RecordedEvent, prefixes: readonly string[]): boolean =>
  !type.startsWith('$') && prefixes.some(prefix => streamId.startsWith(prefix))

/** The three parts as they were written. Anything that is no JSON object decodes with a fault, not with a crash. */
export const storedOf = ({ type, data, metadata }: RecordedEvent): StoredEvent => ({
  type,
  data: data as object,
  meta: (metadata ?? {}) as object,
})

export const decodeRecord = <Event>(codec: EventCodec<Event>, record: RecordedEvent): Recorded<Event> => {
  const revision = Number(record.revision)
  const decoded = codec.decode(storedOf(record))
  if (isLeft(decoded)) throw new EventDecodeError(record.streamId, revision, decoded.left)
  return { stream: record.streamId, revision, id: record.id, ...decoded.right }
}

export const feedEventOf = <Event>(codec: EventCodec<Event>, record: AllStreamRecordedEvent): FeedEvent<Event> => ({
  ...decodeRecord(codec, record),
  position: positionText(record.position),
  recordedAt: record.created.toISOString(),
  msgId: null,
})
