import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { namesOf } from '../../src/domain/command/audit-names.ts'
import type { CommandEvent } from '../../src/domain/command/events.ts'
import { transitions } from '../../src/domain/command/transitions.ts'
import { commandCodec } from '../../src/infrastructure/codec/command-codec.ts'
import { createPostgresEventStore } from '../../src/infrastructure/postgres/log/event-store.ts'
import { createQueueCatalog } from '../../src/infrastructure/postgres/queue/queue-catalog.ts'
import { createCommandQueries } from '../../src/infrastructure/postgres/reading/command-queries.ts'
import { commandRowChange } from '../../src/projections/command-row.ts'
import { outbox } from '../../src/projections/outbox.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  at,
  canceled,
  completed,
  context,
  error,
  exhausted,
  expired,
  failed,
  key,
  lost,
  operatorAssigned,
  operatorCanceled,
  operatorCompleted,
  operatorEndedAttempt,
  operatorNoted,
  operatorRetried,
  operatorSnoozed,
  operatorTagged,
  parked,
  received,
  rejectedByRule,
  rescheduled,
  sent,
} from '../support/lives/command-life.ts'

interface AuditRow {
  readonly audit_id: string
  readonly event_type: string
  readonly ts: Date
  readonly actor: string
  readonly revision: string
  readonly details_json: Record<string, unknown>
}

const detailed = error('PERMANENT', { details: { account: 7 } })
const again = { msgId: '2', total: 2 }

const inDetail = [
  sent(),
  lost(1),
  received(2),
  failed(2, { at: at(50), retryAt: at(60) }),
  // its clock is behind that of the worker before
  received(3, { at: at(40), actor: 'worker:b' }),
  parked(3, 'PERMANENT', { at: at(41), error: detailed }),
  operatorRetried({ at: at(100), data: { amount: 6 }, dataRevision: 6 }),
  received(1, { at: at(101), msgId: '2', total: 4 }),
  parked(1, 'PERMANENT', { at: at(102), msgId: '2' }),
  operatorCompleted({ at: at(103) }),
]

const lives: readonly (readonly CommandEvent[])[] = [
  inDetail,
  [sent(), received(1), completed(1)],
  [sent(), received(1), rejectedByRule(1)],
  [sent(), received(1), exhausted(1)],
  [sent(), canceled()],
  [sent(), received(1), parked(1), operatorRetried(), received(1, again), completed(1, { msgId: '2' })],
  [sent(), received(1), parked(1), operatorCanceled()],
  [sent(), lost(1), completed(2, { receipt: { at: at(1), total: 2, leaseExpiresAt: at(31) } })],
  [sent(), received(1), exhausted(1, { error: detailed })],
  [sent(), received(1), exhausted(1, { error: error('NO_HANDLER') })],
  [sent(), received(1), exhausted(1, { error: error('LEASE_LOST') })],
  [sent(), received(1), operatorEndedAttempt(1)],
  [sent(), received(1), parked(1), operatorSnoozed(), operatorNoted(), operatorAssigned(), operatorTagged()],
  [sent({ expiresAt: at(60) }), rescheduled({ runAt: at(30) }), expired()],
]

/** Names and times of an event's lines. */
const linesOf = (event: CommandEvent): readonly (readonly [name: string, at: string])[] =>
  namesOf(event).map(name => [
    name,
    name === 'RECEIVED' && event.type === 'CommandCompleted' ? (event.receipt?.at ?? event.at) : event.at,
  ])

let database: TestDatabase
const ids = lives.map((_, i) => `0192d3a4-0000-7000-8000-0000000000${String(i).padStart(2, '0')}`)

beforeAll(async () => {
  database = await createTestDatabase()
  const store = createPostgresEventStore<CommandEvent>({
    pool: database.pool,
    codec: commandCodec,
    projections: { row: commandRowChange, effects: outbox({ onSuccess: 'delete' }) },
    ensureQueues: createQueueCatalog(database.pool).ensure,
    onFilled: () => undefined,
  })
  for (const [i, events] of lives.entries()) {
    const stream = `command-${key.domain}-${ids[i]}`
    for (const [revision, event] of events.entries()) {
      // a lost attempt is always appended together with the next event
      if (event.type === 'CommandReceived' && event.lost) continue
      const before = events[revision - 1]
      const together = before?.type === 'CommandReceived' && before.lost ? [before, event] : [event]
      const from = revision - together.length
      await store.append([
        {
          stream,
          expected: from < 0 ? 'none' : from,
          events: together.map(each => ({ id: randomUUID(), event: each, context })),
        },
      ])
    }
  }
})

afterAll(() => database?.drop())

const auditOf = async (commandId: string | undefined): Promise<readonly AuditRow[]> => {
  const { rows } = await database.pool.query(
    'select * from command_bus_audit where domain = $1 and command_id = $2 order by revision, audit_id',
    [key.domain, commandId],
  )
  return rows
}

describe('the audit', () => {
  test('A31: the histories of this test have every event', () => {
    const types = new Set(lives.flat().map(event => event.type))
    expect([...types].sort()).toEqual(Object.keys(transitions).sort())
  })

  test('A31: has a line for every event, under its name, with its time, actor and revision', async () => {
    for (const [i, events] of lives.entries()) {
      const lines = await auditOf(ids[i])
      expect(lines.map(line => [Number(line.revision), line.event_type, line.ts.toISOString(), line.actor])).toEqual(
        events.flatMap((event, revision) => linesOf(event).map(([name, time]) => [revision, name, time, event.actor])),
      )
    }
  })

  test('A31: has its details under names in snake_case', async () => {
    for (const id of ids) {
      for (const { details_json } of await auditOf(id)) {
        for (const name of Object.keys(details_json)) expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/)
      }
    }
  })

  test('A30: the trail of a command is in the order of revisions, also if a clock was behind', async () => {
    const trail = await createCommandQueries(database.pool).auditTrail(key.domain, ids[0] as string)
    expect(trail.map(entry => entry.revision)).toEqual([0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9])
    expect(trail.map(entry => entry.eventType)).toEqual(inDetail.flatMap(event => transitions[event.type].audit))
    const auditIds = trail.map(entry => BigInt(entry.auditId))
    expect(auditIds).toEqual(auditIds.toSorted((a, b) => Number(a - b)))
    expect(new Set(auditIds).size).toBe(auditIds.length)
  })

  test('A30: the trail of an unknown command is empty', async () => {
    expect(await createCommandQueries(database.pool).auditTrail(key.domain, randomUUID())).toEqual([])
    expect(await createCommandQueries(database.pool).auditTrail('other', ids[0] as string)).toEqual([])
  })
})

describe('the details', () => {
  const detailsOf = async (life: number, name: string): Promise<readonly Record<string, unknown>[]> =>
    (await auditOf(ids[life])).filter(line => line.event_type === name).map(line => line.details_json)

  test('A13: of SENT name the type, the correlation id, where to reply and the message', async () => {
    expect(await detailsOf(0, 'SENT')).toMatchObject([
      { command_type: 'Charge', correlation_id: 'order-7', reply_to: 'payments__replies', msg_id: 1 },
    ])
  })

  test('A17: of RECEIVED have the number of the attempt, and mark attempts whose worker was lost', async () => {
    expect(await detailsOf(0, 'RECEIVED')).toMatchObject([
      { attempt: 1, total_attempts: 1, lost: true, lease_expires_at: at(1) },
      { attempt: 2, total_attempts: 2, lost: false, lease_expires_at: at(31) },
      { attempt: 3, total_attempts: 3, lost: false },
      { attempt: 1, total_attempts: 4, lost: false, msg_id: 2 },
    ])
    expect(await detailsOf(7, 'RECEIVED')).toEqual([
      expect.objectContaining({ attempt: 1, lost: true }),
      { attempt: 2, total_attempts: 2, lost: false, msg_id: 1, lease_expires_at: at(31) },
    ])
  })

  test('A19: of FAILED have the error and the attempt; RETRY_SCHEDULED says when', async () => {
    expect(await detailsOf(0, 'FAILED')).toMatchObject([
      { attempt: 2, error_type: 'TRANSIENT', error_code: 'CODE_TRANSIENT', error_message: 'it was TRANSIENT' },
    ])
    expect(await detailsOf(0, 'RETRY_SCHEDULED')).toEqual([{ attempt: 2, retry_at: at(60) }])
  })

  test('A21: of a permanent failure that ends the command say FAILED, and do not mention retries', async () => {
    expect((await auditOf(ids[8])).map(line => line.event_type)).toEqual(['SENT', 'RECEIVED', 'FAILED'])
    expect(await detailsOf(8, 'FAILED')).toEqual([
      {
        attempt: 1,
        msg_id: 1,
        error_type: 'PERMANENT',
        error_code: 'CODE_PERMANENT',
        error_message: 'it was PERMANENT',
        error_details: { account: 7 },
      },
    ])
    expect((await auditOf(ids[10])).at(-1)?.event_type).toBe('RETRY_EXHAUSTED')
  })

  test('A21: of MOVED_TO_TROUBLESHOOTING_QUEUE have the reason and the whole error', async () => {
    const [first] = await detailsOf(0, 'MOVED_TO_TROUBLESHOOTING_QUEUE')
    expect(first).toMatchObject({
      attempt: 3,
      msg_id: 1,
      reason: 'PERMANENT',
      error_code: 'CODE_PERMANENT',
      error_details: { account: 7 },
    })
  })

  test('F1, F3: of RESCHEDULED and COMMAND_EXPIRED have the times', async () => {
    const rows = await auditOf(ids.at(-1))
    expect(rows.map(({ event_type, details_json }) => [event_type, details_json])).toEqual([
      ['SENT', expect.objectContaining({ expires_at: at(60) })],
      ['RESCHEDULED', { run_at: at(30) }],
      ['COMMAND_EXPIRED', { expires_at: at(60), reply_to: 'payments__replies' }],
    ])
  })

  test('of OPERATOR_SNOOZE name the operator, the instant and the reason', async () => {
    expect(await detailsOf(lives.length - 2, 'OPERATOR_SNOOZE')).toEqual([
      { operator: 'jane@example.com', until: at(1000), reason: 'the bank is closed' },
    ])
  })

  test('A3: of OPERATOR_RETRY name the operator, the new message and whether the payload was edited', async () => {
    const [edited] = await detailsOf(0, 'OPERATOR_RETRY')
    const [message] = await detailsOf(0, 'SENT')
    expect(edited).toMatchObject({
      operator: 'jane@example.com',
      archived_msg_id: 1,
      edited: true,
      reset_attempts: true,
    })
    expect(edited?.new_msg_id).toBeGreaterThan(Number(message?.msg_id))
    expect(await detailsOf(5, 'OPERATOR_RETRY')).toMatchObject([{ edited: false }])
  })

  test('R6: of OPERATOR_END_ATTEMPT say who ended which attempt, and why', async () => {
    expect(await detailsOf(11, 'OPERATOR_END_ATTEMPT')).toEqual([
      { operator: 'jane@example.com', reason: 'it hangs', attempt: 1, msg_id: 1 },
    ])
  })

  test('A6: of OPERATOR_CANCEL name the operator, the reason and that a reply was sent', async () => {
    expect(await detailsOf(6, 'OPERATOR_CANCEL')).toEqual([
      { operator: 'jane@example.com', reason: 'a duplicate', reply_to: 'payments__replies', reply_sent: true },
    ])
  })

  test('A9: of OPERATOR_COMPLETE name the operator and the result', async () => {
    expect(await detailsOf(0, 'OPERATOR_COMPLETE')).toMatchObject([
      { operator: 'jane@example.com', result_data: { settledBy: 'hand' }, reply_sent: true },
    ])
  })
})
