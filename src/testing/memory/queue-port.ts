import type { Delivery, Queue } from '../../application/ports/queue.ts'
import { commandStream, domainOfQueue } from '../../domain/command/names.ts'
import type { MemoryMessage, Queues } from './queues.ts'
import type { Tables } from './tables.ts'

export interface MemoryQueueDeps {
  readonly queues: Queues
  readonly tables: Tables
  readonly now: () => number
  /** Takes what belongs to no command. */
  readonly keepStranger: (message: MemoryMessage, why: string) => void
}

/** The port of workers on the queues in memory. */
export const createMemoryQueue = ({ queues, tables, now, keepStranger }: MemoryQueueDeps) => {
  const isOwn = ({ queue, msgId }: MemoryMessage, body: unknown): boolean => {
    const { command_id: commandId } = Object(body)
    const domain = domainOfQueue(queue)
    if (domain === null || typeof commandId !== 'string') return false
    return tables.commands.get(commandStream({ domain, commandId }))?.msg_id === msgId
  }

  /** Reads one message, whether or not it is visible. */
  const take = (message: MemoryMessage, leaseMs: number): Delivery => {
    message.reads++
    message.visibleAt = now() + leaseMs
    const { queue, msgId, reads: delivery, text } = message
    const body = JSON.parse(text)
    return { queue, msgId, delivery, body, size: text.length, ...(isOwn(message, body) ? { own: true } : {}) }
  }

  const queue: Queue = {
    ensure: async name => queues.ensure(name),
    read: async (name, quantity, leaseMs) =>
      queues
        .due(name)
        .slice(0, quantity)
        .map(message => take(message, leaseMs)),
    archive: async (name, msgIds) => {
      for (const msgId of msgIds) queues.archive(name, msgId)
    },
    keepStrangers: async (name, strangers) => {
      for (const [msgId, why] of strangers) {
        const message = queues.find(name, msgId)
        if (message === undefined) continue
        queues.remove(name, msgId)
        keepStranger(message, why)
      }
    },
    extend: async (_, tags, leaseMs) =>
      tags.flatMap(tag => {
        const message = queues.held(tag)
        if (message === undefined) return []
        message.visibleAt = Math.max(message.visibleAt, now() + leaseMs)
        return [message.msgId]
      }),
    handBack: async (_, tags, { uncount, delayMs = 0 }) => {
      for (const tag of tags) {
        const message = queues.held(tag)
        if (message === undefined) continue
        message.visibleAt = uncount && delayMs <= 0 ? Math.min(message.enqueuedAt, now()) : now() + delayMs
        if (uncount) message.reads--
      }
    },
    begin: async (_, messages) => new Set(messages.map(({ msgId }) => msgId)),
    putAside: async (_, tags, pauses) => {
      for (const tag of tags) {
        const message = queues.held(tag)
        if (message === undefined) continue
        message.aside = pauses.get(tag.msgId) ?? null
        message.reads--
      }
    },
    sweepPaused: async (_, after) => ({ place: after, more: false }),
    ownersOf: async (name, msgIds, named) => {
      const domain = domainOfQueue(name)
      return new Map(
        [...tables.commands.values()].flatMap(row => {
          const { command_id: commandId, msg_id: msgId, status } = row
          if (row.domain !== domain || row.queue_name !== name || msgId === null || !msgIds.includes(msgId)) return []
          const isOpen = status === 'PENDING' || status === 'IN_PROGRESS'
          return named.includes(commandId) || isOpen ? [[msgId, commandId] as const] : []
        }),
      )
    },
    existing: async names => names.filter(queues.exists),
    now: async () => new Date(now()).toISOString(),
    nextVisibleIn: async name => {
      const waits = queues.messages(name).flatMap(({ aside, visibleAt }) => (aside === null ? [visibleAt - now()] : []))
      return waits.length === 0 ? null : Math.max(0, Math.min(...waits))
    },
  }
  return { queue, take }
}

export type MemoryQueue = ReturnType<typeof createMemoryQueue>
