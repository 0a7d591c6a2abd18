import type { Appended, Expected, KeptLog, Proposed } from './log.ts'
import {
  Any,
  type AppendAnswer,
  type AppendCall,
  type BatchAppendReq,
  type BatchCall,
  type ProposedMessage,
  sharedPb,
  statusPb,
  streamsPb,
  textOf,
} from './wire.ts'

/** What becomes of an append: it is answered, nobody says anything, or it is committed and the connection dies. */
export type Answering = 'answer' | 'silence' | 'drop'

interface Appending {
  readonly log: KeptLog
  /** Asked once for every append that has arrived. */
  readonly answering: () => Answering | Error
  /** Ends every connection at once. */
  readonly drop: () => void
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

/** One append a call: what the client does with credentials of its own, or where the server offers no batches. */
export const appendOne = ({ log, answering, drop }: Appending) => {
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
      const done = log.append(stream, expected, events)
      if (how === 'drop') return drop()
      answer(null, plainAnswer(done, expected))
    })
  }
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

/** Many appends over one call, told apart by their correlation ids. */
export const appendBatches = ({ log, answering, drop }: Appending) => {
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
      const options = batch.first.getOptions() as NonNullable<ReturnType<BatchAppendReq['getOptions']>>
      const expected = expectedOf(options, () => options.getStreamPosition())
      const done = log.append(nameOf(options.getStreamIdentifier()), expected, batch.events)
      if (how === 'drop') return drop()
      call.write(batchAnswer(batch.first, done))
    })
  }
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
