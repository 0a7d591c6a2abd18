import { EventEmitter } from 'node:events'
import { wholeOf } from '../application/shared/input.ts'
import type { CommandBusOptions } from '../bus-options.ts'
import { createDoorbell } from '../infrastructure/postgres/queue/doorbell.ts'
import { createLaneRules } from '../infrastructure/postgres/queue/lane-rules.ts'
import { createQueueCatalog } from '../infrastructure/postgres/queue/queue-catalog.ts'
import { createQueueLimit, usualQueueLimits } from '../infrastructure/postgres/queue/queue-limit.ts'
import { createReplyQueues } from '../infrastructure/postgres/queue/reply-queues.ts'
import type { Connections } from './connections.ts'

/** The catalog of queues with its limits, and the doorbell for new messages. @throws InvalidInputError */
export const openQueues = ({ pool, workerPool }: Connections, { maxQueues, newQueuesPerHour }: CommandBusOptions) => {
  const localBell = new EventEmitter().setMaxListeners(0)
  const doorbell = createDoorbell(pool, localBell)
  const catalog = createQueueCatalog(workerPool)
  return {
    catalog,
    replyQueues: createReplyQueues(catalog),
    laneRules: createLaneRules(workerPool),
    admit: createQueueLimit(workerPool, catalog, {
      most: limitOf(maxQueues, usualQueueLimits.most, 'maxQueues'),
      perHour: limitOf(newQueuesPerHour, usualQueueLimits.perHour, 'newQueuesPerHour'),
    }),
    localBell,
    onFilled: (queues: Iterable<string>): void => doorbell.ring([...queues]),
    stopDoorbell: doorbell.stop,
  }
}

const limitOf = (given: number | null | undefined, usual: number, name: string): number =>
  given === null ? Number.POSITIVE_INFINITY : wholeOf(given ?? usual, name, 0)
