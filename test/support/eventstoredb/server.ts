import { randomUUID } from 'node:crypto'
import { type Answering, appendBatches, appendOne } from './appending.ts'
import { createKeptLog, type KeptLog } from './log.ts'
import { read } from './reading.ts'
import {
  bytesOf,
  type FeaturesAnswer,
  type FeaturesCall,
  featuresPb,
  grpc,
  type Server,
  ServerFeaturesService,
  StreamsService,
} from './wire.ts'

export interface TestDoubleOptions {
  /** Offers batch append, as servers since 21.10 do. Default true. */
  readonly batches?: boolean
  /** Default true. */
  readonly saysCaughtUp?: boolean
  /** MaxAppendSize, in bytes. Default 1 MiB, as the server's own. */
  readonly maxAppendBytes?: number
  /** Reports a single event as too large, as servers from version 25 on do. Default false. */
  readonly limitsEvents?: boolean
  /** The largest message of gRPC, in bytes. Default 16 MiB, as the server's own. */
  readonly maxMessageBytes?: number
  /** Recognises the same ids at the same revision as the same append. Default true. */
  readonly remembersIds?: boolean
}

/**
 * A test double for EventStoreDB: it speaks the part of the wire protocol that the adapter uses, over the client's own
 * descriptors, and fails on demand. Tests that pass against it show that the adapter uses the real client correctly, not
 * that it works with EventStoreDB itself.
 */
export interface TestDouble {
  readonly url: string
  readonly log: KeptLog
  /** Every call fails at once as unavailable, until `heal`. */
  readonly fail: () => void
  /** Calls arrive and get no answer, until `heal`. */
  readonly hush: () => void
  readonly heal: () => void
  /** The next `count` appends are committed, and the connections break before the answer. */
  readonly dropAfterCommit: (count?: number) => void
  /** Ends every connection; the port is closed until `start`. The log is kept. */
  readonly stop: () => void
  readonly start: () => Promise<void>
  /** Another MaxAppendSize, from the next `start` on. */
  readonly setMaxAppend: (bytes: number) => void
  /** Adds events of the server itself, such as statistics. */
  readonly addSystemEvents: (count: number) => void
  /** The number of appends that have arrived, answered or not. */
  readonly appends: () => number
}

export const startTestDouble = async ({
  batches = true,
  saysCaughtUp = true,
  maxAppendBytes = 1024 * 1024,
  limitsEvents = false,
  maxMessageBytes = 16 * 1024 * 1024,
  remembersIds = true,
}: TestDoubleOptions = {}): Promise<TestDouble> => {
  const log = createKeptLog({ remembersIds })
  let server: Server | null = null
  let port = 0
  let mode: 'answer' | 'silence' | 'unavailable' = 'answer'
  let drops = 0
  let appendBytes = maxAppendBytes
  let appends = 0

  const unavailable = () => Object.assign(new Error('unavailable'), { code: grpc.status.UNAVAILABLE })
  const answering = () => (mode === 'unavailable' ? unavailable() : mode)
  const answeringAppend = (): Answering | Error => {
    appends++
    const how = answering()
    if (how !== 'answer' || drops === 0) return how
    drops--
    return 'drop'
  }
  const drop = (): void => {
    stop()
    void start()
  }

  const features = (_: FeaturesCall, answer: FeaturesAnswer): void => {
    const how = answering()
    if (how === 'silence') return
    if (how instanceof Error) {
      answer(how)
      return
    }
    const supported = new featuresPb.SupportedMethods()
    supported.setEventStoreServerVersion('24.10.0')
    for (const name of batches ? ['append', 'batchappend', 'read'] : ['append', 'read']) {
      const method = new featuresPb.SupportedMethod()
      method.setServiceName('event_store.client.streams.streams')
      method.setMethodName(name)
      supported.addMethods(method)
    }
    answer(null, supported)
  }

  const start = async (): Promise<void> => {
    const next = new grpc.Server({ 'grpc.max_receive_message_length': maxMessageBytes })
    const limit = { bytes: appendBytes, ofEvents: limitsEvents }
    const appending = { log, answering: answeringAppend, drop, limit }
    next.addService(ServerFeaturesService, { getSupportedMethods: features })
    next.addService(StreamsService, {
      read: read({ log, answering, saysCaughtUp }),
      append: appendOne(appending),
      batchAppend: appendBatches(appending),
    })
    server = next
    port = await new Promise<number>((resolve, reject) => {
      next.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
  }

  const stop = (): void => {
    server?.forceShutdown()
    server = null
  }

  await start()
  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    log,
    fail: () => {
      mode = 'unavailable'
    },
    hush: () => {
      mode = 'silence'
    },
    heal: () => {
      mode = 'answer'
    },
    dropAfterCommit: (count = 1) => {
      drops = count
    },
    setMaxAppend: bytes => {
      appendBytes = bytes
    },
    stop,
    start,
    addSystemEvents: count => {
      const event = { type: '$statsCollected', contentType: 'application/json', metadata: new Uint8Array() }
      for (let i = 0; i < count; i++) {
        log.append('$stats-127.0.0.1:2113', 'any', [{ ...event, id: randomUUID(), data: bytesOf('{"load":1}') }])
      }
    },
    appends: () => appends,
  }
}
