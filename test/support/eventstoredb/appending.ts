import type { Appended, Expected, KeptLog, Proposed } from './log.ts'
import {
  Any,
  type AppendAnswer,
  type AppendCall,
  type BatchAppendReq,
  type BatchCall,
  grpc,
  type ProposedMessage,
  sharedPb,
  statusPb,
  streamsPb,
  textOf,
} from './wire.ts'

/** What happens to an append: it is answered, gets no answer, or is committed and the connection breaks. */
export type Answering = 'answer' | 'silence' | 'drop'

interface Appending {
  readonly log: KeptLog
  /** Called once for every append that arrives. */
  readonly answering: () => Answering | Error
  /** Ends every connection at once. */
  readonly drop: () => void
  /** The limit of one append in bytes; servers from version 25 on report a single event as too large. */
  readonly limit: { readonly bytes: number; readonly ofEvents: boolean }
}

/** As the server counts: data and metadata, and the type in two bytes a character. */
const sizeOf = ({ type, data, metadata }: Proposed): number => data.length + metadata.length + 2 * type.length

type TooLarge = { readonly outcome: 'too large'; readonly of: 'append' | 'event'; readonly bytes: number }

const tooLarge = (events: readonly Proposed[], { limit }: Pick<Appending, 'limit'>): TooLarge | null => {
  const sizes = events.map(sizeOf)
  const { bytes } = limit
  if (limit.ofEvents && sizes.some(size => size > bytes)) return { outcome: 'too large', of: 'event', bytes }
  return sizes.reduce((sum, size) => sum + size, 0) > bytes ? { outcome: 'too large', of: 'append', bytes } : null
}

const proposedOf = (message: ProposedMessage): Proposed => ({
  id: message.getId()?.getString() ?? '',
  type: message.getMetadataMap().get('type') ?? '',
  contentType: message.getMetadataMap().get('content-type') ?? '',
  data: message.getData_asU8(),
  metadata: message.getCustomMetadata_asU8(),
})

interface ExpectedOptions {
  readonly hasNoStream: () => boolean
  readonly hasAny: () => boolean
  readonly hasStreamExists: () => boolean
}

const expectedOf = (options: ExpectedOptions, revision: () => string): Expected =>
  options.hasNoStream() ? -1 : options.hasAny() ? 'any' : options.hasStreamExists() ? 'exists' : Number(revision())

const nameOf = (identifier: { readonly getStreamName_asU8: () => Uint8Array } | undefined): string =>
  identifier === undefined ? '' : textOf(identifier.getStreamName_asU8())

/** One append for each call: the client does so for credentials of a call, or where the server offers no batches. */
export const appendOne = ({ log, answering, drop, limit }: Appending) => {
  return (call: AppendCall, answer: AppendAnswer): void => {
    let stream = ''
    let expected: Expected = 'any'
    const events: Proposed[] = []
    call.on('error', () => {})
    call.on('data', request => {
      const options = request.getOptions()
      if (options === undefined) events.push(proposedOf(request.getProposedMessage()))
      else {
        stream = nameOf(options.getStreamIdentifier())
        expected = expectedOf(options, () => options.getRevision())
      }
    })
    call.on('end', () => {
      const how = answering()
      if (how instanceof Error) return answer(how)
      if (how === 'silence') return
      const large = tooLarge(events, { limit })
      if (large !== null) return answer(plainRefusal(large))
      const done = log.append(stream, expected, events)
      if (how === 'drop') return drop()
      answer(null, plainAnswer(done, expected))
    })
  }
}

const plainRefusal = ({ of, bytes }: TooLarge) => {
  const metadata = new grpc.Metadata()
  const isEvent = of === 'event'
  metadata.set('exception', isEvent ? 'maximum-append-event-size-exceeded' : 'maximum-append-size-exceeded')
  metadata.set(isEvent ? 'maximum-append-event-size' : 'maximum-append-size', `${bytes}`)
  const details = isEvent
    ? `Event with Id: 1, Size: ${bytes + 1}, exceeds Maximum Append Event Size of ${bytes}.`
    : `Maximum Append Size of ${bytes} Exceeded.`
  return Object.assign(new Error(details), { code: grpc.status.INVALID_ARGUMENT, details, metadata })
}

const plainAnswer = (done: Appended, expected: Expected) => {
  const response = new streamsPb.AppendResp()
  if (done.outcome === 'done') {
    const position = new streamsPb.AppendResp.Position()
    position.setCommitPosition(`${done.position}`)
    position.setPreparePosition(`${done.position}`)
    const success = new streamsPb.AppendResp.Success()
    success.setCurrentRevision(`${done.revision}`)
    success.setPosition(position)
    return response.setSuccess(success)
  }
  const wrong = new streamsPb.AppendResp.WrongExpectedVersion()
  if (done.current < 0) wrong.setCurrentNoStream(new sharedPb.Empty())
  else wrong.setCurrentRevision(`${done.current}`)
  if (expected === -1) wrong.setExpectedNoStream(new sharedPb.Empty())
  else wrong.setExpectedRevision(`${expected}`)
  return response.setWrongExpectedVersion(wrong)
}

/** Many appends in one call, distinguished by their correlation ids. */
export const appendBatches = ({ log, answering, drop, limit }: Appending) => {
  return (call: BatchCall): void => {
    const open = new Map<string, { readonly first: BatchAppendReq; readonly events: Proposed[] }>()
    call.on('error', () => {})
    call.on('end', () => call.end())
    call.on('data', (request: BatchAppendReq) => {
      const id = request.getCorrelationId()?.getString() ?? ''
      const batch = open.get(id) ?? { first: request, events: [] }
      open.set(id, batch)
      batch.events.push(...request.getProposedMessagesList().map(proposedOf))
      if (!request.getIsFinal()) return
      open.delete(id)
      const how = answering()
      if (how instanceof Error) return void call.destroy(how)
      if (how === 'silence') return
      const large = tooLarge(batch.events, { limit })
      if (large !== null) return void call.write(batchRefusal(batch.first, large))
      const options = batch.first.getOptions() as NonNullable<ReturnType<BatchAppendReq['getOptions']>>
      const expected = expectedOf(options, () => options.getStreamPosition())
      const done = log.append(nameOf(options.getStreamIdentifier()), expected, batch.events)
      if (how === 'drop') return drop()
      call.write(batchAnswer(batch.first, done))
    })
  }
}

const batchRefusal = (request: BatchAppendReq, { of, bytes }: TooLarge) => {
  const details = new Any()
  if (of === 'append') {
    const exceeded = new sharedPb.MaximumAppendSizeExceeded()
    exceeded.setMaxappendsize(bytes)
    details.pack(exceeded.serializeBinary(), 'event_store.client.MaximumAppendSizeExceeded')
  } else {
    details.pack(new Uint8Array(), 'event_store.client.MaximumAppendEventSizeExceeded')
  }
  const error = new statusPb.Status()
  error.setCode(3)
  error.setMessage(of === 'append' ? 'MaximumAppendSizeExceeded' : 'MaximumAppendEventSizeExceeded')
  error.setDetails(details)
  const response = new streamsPb.BatchAppendResp()
  response.setCorrelationId(request.getCorrelationId())
  response.setStreamIdentifier(request.getOptions()?.getStreamIdentifier())
  return response.setError(error)
}

const batchAnswer = (request: BatchAppendReq, done: Appended) => {
  const response = new streamsPb.BatchAppendResp()
  response.setCorrelationId(request.getCorrelationId())
  response.setStreamIdentifier(request.getOptions()?.getStreamIdentifier())
  if (done.outcome === 'done') {
    const position = new sharedPb.AllStreamPosition()
    position.setCommitPosition(`${done.position}`)
    position.setPreparePosition(`${done.position}`)
    const success = new streamsPb.BatchAppendResp.Success()
    success.setCurrentRevision(`${done.revision}`)
    success.setPosition(position)
    return response.setSuccess(success)
  }
  const wrong = new sharedPb.WrongExpectedVersion()
  if (done.current >= 0) wrong.setCurrentStreamRevision(`${done.current}`)
  const details = new Any()
  details.pack(wrong.serializeBinary(), 'event_store.client.WrongExpectedVersion')
  const error = new statusPb.Status()
  error.setCode(6)
  error.setMessage('WrongExpectedVersion')
  error.setDetails(details)
  return response.setError(error)
}
