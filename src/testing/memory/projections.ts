import type { StreamAppend } from '../../application/ports/event-store.ts'
import { InvalidOperationError } from '../../application/shared/errors.ts'
import type { BusEvent } from '../../domain/bus-event.ts'
import type { CommandEvent } from '../../domain/command/events.ts'
import { commandQueue, parseCommandStream } from '../../domain/command/names.ts'
import type { Json } from '../../domain/json/json.ts'
import type { Recorded } from '../../domain/recorded.ts'
import { busProjections } from '../../projections/bus-projections.ts'
import type { Effect, OutboxOptions } from '../../projections/outbox.ts'
import type { MemoryProjections } from './event-store.ts'
import type { Queues } from './queues.ts'
import type { Tables } from './tables.ts'

export interface ProjectionDeps extends OutboxOptions {
  readonly tables: Tables
  readonly queues: Queues
  readonly now: () => number
  /** The payload in the event of a stream at a revision. */
  readonly dataAt: (stream: string, revision: number) => Json
}

/** Applies the projections of the bus: what the function `command_bus_commit` does in PostgreSQL. */
export const createProjections = ({
  tables,
  queues,
  now,
  dataAt,
  ...options
}: ProjectionDeps): MemoryProjections<BusEvent> => {
  const { row, effects, writes } = busProjections(options)

  const present = (stream: string, queue: string) => {
    const msgId = tables.commands.get(stream)?.msg_id
    return msgId == null ? undefined : queues.find(queue, msgId)
  }

  /** The archived message, if it is one of this command; else its head with the payload of the log. */
  const bodyAgain = (stream: string, effect: Extract<Effect, { readonly kind: 'resend' }>): Json => {
    const { queue, archivedMsgId, head, dataRevision, data } = effect
    const archived = queues.archived(queue).find(({ msgId }) => msgId === archivedMsgId)
    const old = archived === undefined ? null : JSON.parse(archived.text)
    const body = old?.command_id === head.command_id ? old : { ...head, data: dataAt(stream, dataRevision) }
    return data === undefined ? body : { ...body, data }
  }

  /** Returns the id of the message that it puts on a queue for workers. */
  const carryOut = (stream: string, effect: Effect): string | null => {
    switch (effect.kind) {
      case 'enqueue': {
        const { queue, body, runAt } = effect
        return queues.send(queue, body, runAt === undefined ? now() : Date.parse(runAt))
      }
      case 'resend':
        return queues.send(effect.queue, bodyAgain(stream, effect))
      case 'reply':
        queues.send(effect.queue, effect.body)
        return null
      case 'delete':
        queues.remove(effect.queue, effect.msgId)
        return null
      case 'archive':
        queues.archive(effect.queue, effect.msgId)
        return null
      case 'archive-current': {
        const message = present(stream, effect.queue)
        if (message !== undefined) queues.archive(effect.queue, message.msgId)
        return null
      }
      case 'postpone': {
        const message = queues.find(effect.queue, effect.msgId)
        if (message !== undefined) {
          message.visibleAt = now() + effect.waitMs
          if (effect.uncount === true) message.reads--
        }
        return null
      }
      case 'reschedule': {
        const message = present(stream, effect.queue)
        if (message !== undefined) message.visibleAt = Math.max(now(), Date.parse(effect.runAt))
        return null
      }
      case 'lane':
        throw new Error('a bus in memory has no lanes')
    }
  }

  return {
    check: ({ stream, events }: StreamAppend<BusEvent>) => {
      const key = parseCommandStream(stream)
      for (const { event, context } of events) {
        if (key === null || event.type !== 'CommandRescheduled') continue
        const message = present(stream, commandQueue(key.domain, context.priority))
        if (message === undefined || message.reads === 0) continue
        throw new InvalidOperationError(
          `a worker has taken command ${key.commandId}: it can no longer be put off or run earlier`,
          'PENDING',
        )
      }
    },
    apply: recorded => {
      const change = row(recorded)
      if (change !== null) tables.change(change)
      for (const write of writes(recorded)) tables.write(write)
      const sent = effects(recorded).map(effect => carryOut(recorded.stream, effect))
      const msgId = sent.find(id => id !== null) ?? null
      if (msgId !== null) tables.setMessage(recorded.stream, msgId)
      return msgId
    },
  }
}

/** The payload that an event holds. */
export const dataOf = ({ event }: Recorded<BusEvent>): Json =>
  (event as Extract<CommandEvent, { data?: Json }>).data ?? null
