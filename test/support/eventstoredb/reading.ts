import type { Kept, KeptLog } from './log.ts'
import { bytesOf, type ReadCall, type ReadReq, type ReadResp, sharedPb, streamsPb, textOf } from './wire.ts'

type ReadOptions = NonNullable<ReturnType<ReadReq['getOptions']>>

interface Reading {
  readonly log: KeptLog
  readonly answering: () => 'answer' | 'silence' | Error
  /** False for servers before 23.10: they never say that a reader has caught up. */
  readonly saysCaughtUp: boolean
}

/** After so many searched events, a filtered subscription gets its position. */
const CHECKPOINT_EVERY = 32

export const read = ({ log, answering, saysCaughtUp }: Reading) => {
  return (call: ReadCall): void => {
    call.on('error', () => {})
    const how = answering()
    if (how instanceof Error) return void call.destroy(how)
    if (how === 'silence') return
    const options = call.request.getOptions() as ReadOptions
    if (options.hasSubscription()) {
      subscribe(log, options, call, saysCaughtUp)
      return
    }
    const found = options.hasAll() ? pageOfAll(log, options) : pageOfStream(log, options)
    if (found === undefined) call.write(notFound(options))
    for (const event of found ?? []) call.write(eventOf(event))
    call.end()
  }
}

const isBackwards = (options: ReadOptions): boolean => options.getReadDirection() === 1

const pageOfStream = (log: KeptLog, options: ReadOptions): readonly Kept[] | undefined => {
  const from = options.getStream() as NonNullable<ReturnType<ReadOptions['getStream']>>
  const events = log.stream(textOf(from.getStreamIdentifier()?.getStreamName_asU8() ?? new Uint8Array()))
  const count = Number(options.getCount())
  if (isBackwards(options)) {
    const end = from.hasRevision() ? Number(from.getRevision()) + 1 : events?.length
    return events?.slice(0, end).reverse().slice(0, count)
  }
  const start = from.hasRevision() ? Number(from.getRevision()) : 0
  return events?.slice(start, start + count)
}

const pageOfAll = (log: KeptLog, options: ReadOptions): readonly Kept[] => {
  const from = options.getAll() as NonNullable<ReturnType<ReadOptions['getAll']>>
  const count = Number(options.getCount())
  const position = from.hasPosition() ? BigInt(from.getPosition()?.getCommitPosition() ?? '0') : null
  if (isBackwards(options)) {
    const before = log.all.filter(event => position === null || event.position < position)
    return before.reverse().slice(0, count)
  }
  const start = position === null ? 0 : firstFrom(log, position)
  return log.all.slice(start, start + count)
}

/** The index of the first event at or after a position. */
const firstFrom = (log: KeptLog, position: bigint): number => {
  const found = log.all.findIndex(event => event.position >= position)
  return found < 0 ? log.all.length : found
}

const subscribe = (log: KeptLog, options: ReadOptions, call: ReadCall, saysCaughtUp: boolean): void => {
  const from = options.getAll() as NonNullable<ReturnType<ReadOptions['getAll']>>
  const position = from.hasPosition() ? BigInt(from.getPosition()?.getCommitPosition() ?? '0') : null
  const prefixes = options.getFilter()?.getStreamIdentifier()?.getPrefixList() ?? null
  let next = position === null ? 0 : firstFrom(log, position + 1n)
  let searched = 0
  const confirmation = new streamsPb.ReadResp.SubscriptionConfirmation()
  confirmation.setSubscriptionId('subscription')
  call.write(new streamsPb.ReadResp().setConfirmation(confirmation))
  const send = (): void => {
    while (next < log.all.length) {
      const event = log.all[next++] as Kept
      if (prefixes === null || prefixes.some(prefix => event.stream.startsWith(prefix))) call.write(eventOf(event))
      if (++searched % CHECKPOINT_EVERY === 0 && prefixes !== null) call.write(checkpointOf(event))
    }
  }
  send()
  if (saysCaughtUp) call.write(new streamsPb.ReadResp().setCaughtUp(new streamsPb.ReadResp.CaughtUp()))
  const leave = log.listen(send)
  call.on('cancelled', leave)
  call.on('close', leave)
}

const checkpointOf = ({ position }: Kept): ReadResp => {
  const checkpoint = new streamsPb.ReadResp.Checkpoint()
  checkpoint.setCommitPosition(`${position}`)
  checkpoint.setPreparePosition(`${position}`)
  return new streamsPb.ReadResp().setCheckpoint(checkpoint)
}

const notFound = (options: ReadOptions): ReadResp => {
  const missing = new streamsPb.ReadResp.StreamNotFound()
  missing.setStreamIdentifier(options.getStream()?.getStreamIdentifier())
  return new streamsPb.ReadResp().setStreamNotFound(missing)
}

const eventOf = (kept: Kept): ReadResp => {
  const id = new sharedPb.UUID()
  id.setString(kept.id)
  const stream = new sharedPb.StreamIdentifier()
  stream.setStreamName(bytesOf(kept.stream))
  const recorded = new streamsPb.ReadResp.ReadEvent.RecordedEvent()
  recorded.setId(id)
  recorded.setStreamIdentifier(stream)
  recorded.setStreamRevision(`${kept.revision}`)
  recorded.setCommitPosition(`${kept.position}`)
  recorded.setPreparePosition(`${kept.position}`)
  recorded.getMetadataMap().set('type', kept.type)
  recorded.getMetadataMap().set('content-type', kept.contentType)
  recorded.getMetadataMap().set('created', `${BigInt(kept.created.getTime()) * 10_000n}`)
  recorded.setCustomMetadata(kept.metadata)
  recorded.setData(kept.data)
  const event = new streamsPb.ReadResp.ReadEvent()
  event.setEvent(recorded)
  event.setCommitPosition(`${kept.position}`)
  return new streamsPb.ReadResp().setEvent(event)
}
