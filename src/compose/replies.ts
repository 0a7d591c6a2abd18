import type { EventEmitter } from 'node:events'
import type { Log } from '../application/ports/log.ts'
import type { AdmitQueues } from '../application/ports/queue.ts'
import {
  type ReplyReader,
  type RunningReader,
  readerSettingsOf,
  replyHandlerOf,
} from '../application/replies/read-replies.ts'
import { replyQueueOf } from '../application/shared/input.ts'
import type { QueueCatalog } from '../infrastructure/postgres/queue/queue-catalog.ts'
import { createReplyBell } from '../infrastructure/postgres/queue/reply-bell.ts'
import { createReplyMessages } from '../infrastructure/postgres/queue/reply-messages.ts'
import { listenerLike } from '../infrastructure/postgres/transactions/pool.ts'
import { createAwaitReplies } from '../infrastructure/replies/await-replies.ts'
import { runReader } from '../infrastructure/replies/run-reader.ts'
import type { Connections } from './connections.ts'
import type { Guarded } from './readiness.ts'

export interface RepliesDeps {
  readonly connections: Connections
  readonly catalog: QueueCatalog
  readonly admit: AdmitQueues
  readonly localBell: EventEmitter
  readonly guarded: Guarded
  readonly log: Log
}

/** What takes replies off their queues: requests that wait, and readers. Nothing is connected before the first of them. */
export const openReplies = ({ connections, catalog, admit, localBell, guarded, log }: RepliesDeps) => {
  const { pool, workerPool } = connections
  const messages = createReplyMessages(workerPool)
  const bell = createReplyBell(() => listenerLike(pool), localBell, log)
  const { awaitReply, close } = createAwaitReplies({ messages, bell, log })
  const readers = new Set<RunningReader>()
  let stopping = false

  const ensure = async (queue: string, forget: boolean): Promise<void> => {
    await admit([queue], null)
    await catalog.ensure(new Set([queue]), { forget })
  }

  /** The replies of a queue. @throws InvalidInputError, ReplyQueueRefusedError */
  const repliesOf = (given: string): ReplyReader => {
    const queue = replyQueueOf(given, 'queue')
    const run: ReplyReader['run'] = async (handler, options = {}) => {
      const settings = readerSettingsOf(options)
      const handle = replyHandlerOf(handler)
      await ensure(queue, false)
      const reader = runReader({ messages, bell, ensure: gone => ensure(gone, true), log }, queue, handle, settings)
      readers.add(reader)
      void reader.ended.then(() => readers.delete(reader))
      if (stopping) await reader.stop()
      return reader
    }
    return { run: guarded(run) }
  }

  return {
    awaitReply,
    repliesOf,
    stopReaders: async (): Promise<void> => {
      stopping = true
      await Promise.all([...readers].map(reader => reader.stop()))
    },
    /** Ends the requests that wait. */
    close: async (): Promise<void> => {
      await close()
      await bell.stop()
    },
  }
}
