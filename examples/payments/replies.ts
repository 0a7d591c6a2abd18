import { setTimeout as delay } from 'node:timers/promises'
import { Pgmq } from 'pgmq-js'

export interface Reply {
  readonly command_id: string
  readonly outcome: 'SUCCESS' | 'FAILED' | 'CANCELED'
  readonly result?: unknown
  readonly error?: { readonly code: string; readonly message: string }
}

const HIDDEN_SECONDS = 30

/** Reads replies until each of these commands has one. A reply is deleted from the queue only after it was read. */
export const awaitReplies = async (
  databaseUrl: string,
  queue: string,
  commandIds: readonly string[],
): Promise<ReadonlyMap<string, Reply>> => {
  const { hostname, port, username, password, pathname, searchParams } = new URL(databaseUrl)
  const pgmq = await Pgmq.new(
    {
      host: hostname,
      port: Number(port || 5432),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database: pathname.slice(1),
      ssl: searchParams.has('sslmode'),
    },
    { skipExtensionCreation: true },
  )
  try {
    // sending a command makes the queue; this reader may be earlier
    await pgmq.queue.create(queue)
    const replies = new Map<string, Reply>()
    while (commandIds.some(id => !replies.has(id))) {
      const messages = await pgmq.msg.readBatch<Reply>(queue, HIDDEN_SECONDS, 10)
      for (const { msgId, message } of messages) {
        replies.set(message.command_id, message)
        await pgmq.msg.delete(queue, msgId)
      }
      if (messages.length === 0) await delay(50)
    }
    return replies
  } finally {
    await pgmq.close()
  }
}
