import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { afterEach } from 'vitest'
import { createTransactCommands } from '../../src/application/commands/transact-commands.ts'
import { type Clock, systemClock } from '../../src/application/ports/clock.ts'
import type { NewEvent, StreamAppend } from '../../src/application/ports/event-store.ts'
import { type Log, silentLog } from '../../src/application/ports/log.ts'
import type { CommandEvent } from '../../src/domain/command/events.ts'
import { commandStream } from '../../src/domain/command/names.ts'
import { defaultRetryPolicy } from '../../src/domain/command/retry-policy.ts'
import type { Json } from '../../src/domain/json/json.ts'
import { type Actions, createActions } from '../../src/infrastructure/runners/bulk-actions.ts'
import { uuidIds } from '../../src/infrastructure/shared/uuid-ids.ts'
import { createCommandStore } from './lives/command-store.ts'

export interface TestActions extends Actions {
  /** Queues whose workers were notified, in order. */
  readonly rung: string[]
}

/** Bulk actions as a process uses them. */
export const createTestActions = (
  pool: pg.Pool,
  { clock = systemClock, log = silentLog }: { readonly clock?: Clock; readonly log?: Log } = {},
): TestActions => {
  const rung: string[] = []
  const transact = createTransactCommands(createCommandStore(pool), uuidIds)
  const onFilled = (queues: ReadonlySet<string>) => void rung.push(...queues)
  return { ...createActions({ pool, transact, clock, ids: uuidIds, onFilled, log }), rung }
}

const stops: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** Carries out actions until it is stopped, or the test is over. */
export const running = (actions: Actions): { readonly stop: () => Promise<void> } => {
  const stopper = new AbortController()
  const ended = actions.run(stopper.signal)
  const stop = (): Promise<void> => {
    stopper.abort()
    return ended
  }
  stops.push(stop)
  return { stop }
}

export interface ParkOptions {
  readonly domain?: string
  readonly commandType?: string
  readonly errorCode?: string
  readonly replyTo?: string
  readonly tenantId?: string
  readonly data?: Json
  /** When the commands were moved to troubleshooting. Default: a minute ago. */
  readonly at?: string
}

const BATCH = 1000

/** Parks new commands through the event store, by the thousand, and returns their ids. */
export const parkMany = async (pool: pg.Pool, count: number, options: ParkOptions = {}): Promise<readonly string[]> => {
  const { domain = 'payments', commandType = 'Charge', errorCode = 'CARD_DECLINED' } = options
  const { replyTo = null, tenantId = null, data = { amount: 5 } } = options
  const store = createCommandStore(pool)
  const at = options.at ?? new Date(Date.now() - 60_000).toISOString()
  const context = { commandType, correlationId: 'c', causationId: null, replyTo, tenantId }
  const fact = { at, actor: 'worker:test' }
  const recording = (event: CommandEvent): NewEvent<CommandEvent> => ({ id: randomUUID(), event, context })
  const append = async (appends: readonly StreamAppend<CommandEvent>[]) => {
    const results = await store.append(appends)
    if (results.some(result => result.outcome !== 'appended')) throw new Error('a command could not be parked')
    return results
  }
  const ids: string[] = []
  for (let left = count; left > 0; left -= BATCH) {
    const batch = Array.from({ length: Math.min(left, BATCH) }, () => randomUUID())
    ids.push(...batch)
    const streams = batch.map(commandId => commandStream({ domain, commandId }))
    const sent = await append(
      streams.map(stream => ({
        stream,
        expected: 'none',
        events: [
          recording({
            ...fact,
            type: 'CommandSent',
            commandType,
            data,
            correlationId: 'c',
            causationId: null,
            replyTo,
            tenantId,
            ownerId: null,
            parentCommandId: null,
            retryCount: 0,
            policy: defaultRetryPolicy,
          }),
        ],
      })),
    )
    await append(
      sent.map(result => {
        const msgId = result.outcome === 'appended' ? String(result.msgId) : ''
        const error = {
          type: 'PERMANENT',
          code: errorCode,
          message: 'it was declined',
          details: { bank: 'x' },
        } as const
        return {
          stream: result.stream,
          expected: 0,
          events: [
            recording({
              ...fact,
              type: 'CommandReceived',
              attempt: 1,
              total: 1,
              msgId,
              leaseExpiresAt: at,
              lost: false,
            }),
            recording({
              ...fact,
              type: 'CommandMovedToTroubleshooting',
              attempt: 1,
              msgId,
              reason: 'PERMANENT',
              error,
            }),
          ],
        }
      }),
    )
  }
  return ids
}

/** How many there are of something, and of how many commands. */
export interface EventCounts {
  readonly all: number
  readonly commands: number
}

export interface Traces {
  /** Audit lines by event type. */
  readonly audit: { readonly [eventType: string]: EventCounts }
  /** Commands by status. */
  readonly rows: { readonly [status: string]: number }
  /** Messages on the queue of the domain's commands. */
  readonly messages: EventCounts
  /** Messages on the queue `replies`. */
  readonly replies: EventCounts
}

/** The audit lines, rows, messages and replies that operators' actions leave in a database. */
export const tracesOf = async (pool: pg.Pool, domain = 'payments'): Promise<Traces> => {
  const audit = await pool.query<EventCounts & { readonly type: string }>(
    `select event_type as type, count(*)::int as all, count(distinct stream)::int as commands
     from command_bus_audit where event_type like 'OPERATOR%' group by event_type`,
  )
  const rows = await pool.query<{ readonly status: string; readonly n: number }>(
    'select status, count(*)::int as n from command_bus_command group by status',
  )
  const onQueue = async (queue: string): Promise<EventCounts> => {
    const made = await pool.query('select from pgmq.list_queues() where queue_name = $1', [queue])
    if (made.rowCount === 0) return { all: 0, commands: 0 }
    const found = await pool.query<EventCounts>(
      `select count(*)::int as all, count(distinct message->>'command_id')::int as commands from pgmq.q_${queue}`,
    )
    return found.rows[0] as EventCounts
  }
  return {
    audit: Object.fromEntries(audit.rows.map(({ type, all, commands }) => [type, { all, commands }])),
    rows: Object.fromEntries(rows.rows.map(({ status, n }) => [status, n])),
    messages: await onQueue(`${domain}__commands`),
    replies: await onQueue('replies'),
  }
}

/** `count` things, one for each of `count` commands. */
export const onceEach = (count: number): EventCounts => ({ all: count, commands: count })
