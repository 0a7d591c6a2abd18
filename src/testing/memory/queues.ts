import type { DeliveryTag } from '../../application/ports/queue.ts'
import type { Json } from '../../domain/json/json.ts'

/** A message as it lies on its queue. Times are in milliseconds since 1970. */
export interface MemoryMessage {
  readonly queue: string
  readonly msgId: string
  /** JSON text: nobody who reads a message can change it. */
  readonly text: string
  readonly enqueuedAt: number
  reads: number
  visibleAt: number
  /** The pause that it waits for. */
  aside: string | null
}

interface QueueInMemory {
  readonly messages: Map<string, MemoryMessage>
  readonly archived: Map<string, MemoryMessage>
  last: number
}

/** Queues with the rules of pgmq: a message that is read is hidden for a while, and each read is counted. */
export const createQueues = (now: () => number) => {
  const queues = new Map<string, QueueInMemory>()

  const queueOf = (name: string): QueueInMemory => {
    const known = queues.get(name)
    if (known !== undefined) return known
    const made: QueueInMemory = { messages: new Map(), archived: new Map(), last: 0 }
    queues.set(name, made)
    return made
  }
  const messages = (queue: string): readonly MemoryMessage[] => [...(queues.get(queue)?.messages.values() ?? [])]
  const find = (queue: string, msgId: string): MemoryMessage | undefined => queues.get(queue)?.messages.get(msgId)

  return {
    ensure: (queue: string): void => void queueOf(queue),
    exists: (queue: string): boolean => queues.has(queue),
    messages,
    archived: (queue: string): readonly MemoryMessage[] => [...(queues.get(queue)?.archived.values() ?? [])],
    find,
    /** The message, if it was not read again since. */
    held: ({ queue, msgId, delivery }: DeliveryTag): MemoryMessage | undefined => {
      const message = find(queue, msgId)
      return message?.reads === delivery ? message : undefined
    },
    send: (queue: string, body: Json, visibleAt = now()): string => {
      const into = queueOf(queue)
      const msgId = String(++into.last)
      const message = {
        queue,
        msgId,
        text: JSON.stringify(body),
        enqueuedAt: now(),
        reads: 0,
        visibleAt: Math.max(now(), visibleAt),
        aside: null,
      }
      into.messages.set(msgId, message)
      return msgId
    },
    /** Visible messages, those that became due first at the beginning. */
    due: (queue: string): readonly MemoryMessage[] =>
      messages(queue)
        .filter(({ aside, visibleAt }) => aside === null && visibleAt <= now())
        .sort((a, b) => a.visibleAt - b.visibleAt || Number(a.msgId) - Number(b.msgId)),
    remove: (queue: string, msgId: string): void => void queues.get(queue)?.messages.delete(msgId),
    archive: (queue: string, msgId: string): void => {
      const message = find(queue, msgId)
      if (message === undefined) return
      queueOf(queue).messages.delete(msgId)
      queueOf(queue).archived.set(msgId, message)
    },
  }
}

export type Queues = ReturnType<typeof createQueues>
