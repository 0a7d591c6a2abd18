import { randomUUID } from 'node:crypto'
import type { Pool } from 'pg'
import type { EventStore, NewEvent, StreamAppend } from '../../../src/application/ports/event-store.ts'
import type { CommandEvent } from '../../../src/domain/command/events.ts'
import { commandStream } from '../../../src/domain/command/names.ts'
import { defaultRetryPolicy } from '../../../src/domain/command/retry-policy.ts'
import { commandCodec } from '../../../src/infrastructure/codec/command-codec.ts'
import { createPostgresEventStore } from '../../../src/infrastructure/postgres/log/event-store.ts'
import { createQueueCatalog } from '../../../src/infrastructure/postgres/queue/queue-catalog.ts'
import { commandRowChange } from '../../../src/projections/command-row.ts'
import { outbox } from '../../../src/projections/outbox.ts'

/** The store as in a bus: it writes rows and messages with the events. */
export const createCommandStore = (pool: Pool): EventStore<CommandEvent> =>
  createPostgresEventStore({
    pool,
    codec: commandCodec,
    projections: { row: commandRowChange, effects: outbox({ onSuccess: 'delete' }) },
    ensureQueues: createQueueCatalog(pool).ensure,
    onFilled: () => {},
  })

const context = { commandType: 'Charge', correlationId: 'c', causationId: null, replyTo: null, tenantId: null }
const fact = { at: '2026-01-02T03:04:05.678Z', actor: 'tester' }

/** The append that sends a new command of `domain`. */
export const sending = (domain: string, commandId: string = randomUUID()): StreamAppend<CommandEvent> => ({
  stream: commandStream({ domain, commandId }),
  expected: 'none',
  events: [recording({ ...sent, ...fact })],
})

/** The append that records one more attempt of a command. */
export const receiving = (
  stream: string,
  expected: StreamAppend<CommandEvent>['expected'],
  attempt: number,
): StreamAppend<CommandEvent> => ({
  stream,
  expected,
  events: [
    recording({
      ...fact,
      type: 'CommandReceived',
      attempt,
      total: attempt,
      msgId: '1',
      leaseExpiresAt: '2026-01-02T03:04:35.678Z',
      lost: false,
    }),
  ],
})

const recording = (event: CommandEvent): NewEvent<CommandEvent> => ({ id: randomUUID(), event, context })

const sent = {
  type: 'CommandSent',
  commandType: 'Charge',
  data: { amount: 5 },
  correlationId: 'c',
  causationId: null,
  replyTo: null,
  tenantId: null,
  ownerId: null,
  parentCommandId: null,
  retryCount: 0,
  policy: defaultRetryPolicy,
} as const
