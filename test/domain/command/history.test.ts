import fc from 'fast-check'
import { left, right } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { auditTypes, auditWords, namesOf, parseAuditType } from '../../../src/domain/command/audit-names.ts'
import { type CommandSnapshot, historyOf } from '../../../src/domain/command/history.ts'
import { command } from '../../../src/domain/command/index.ts'
import { fold } from '../../../src/domain/decider.ts'
import { snapshotDiff, stepsAt } from '../../../src/domain/history.ts'
import {
  type CommandRow,
  commandRowChange,
  mergeChanges,
  type RowChange,
} from '../../../src/projections/command-row.ts'
import { life } from '../../support/lives/command-arbitraries.ts'
import {
  at,
  completed,
  error,
  exhausted,
  failed,
  historyOf as lifeOf,
  operatorRetried,
  parked,
  received,
  recorded,
  sent,
} from '../../support/lives/command-life.ts'

/** The read row after `revision`, from the projection alone: it knows nothing of the decider's states. */
const rowAt = (events: ReturnType<typeof recorded>, revision: number): CommandRow => {
  const changes = events.slice(0, revision + 1).map(event => commandRowChange(event) as RowChange)
  const merged = changes.reduce(mergeChanges)
  if (merged.kind !== 'insert') throw new Error('a life begins with an insert')
  // where an event has set it back, '' stands for nobody
  return { ...merged.row, assignee: merged.row.assignee || null }
}

const asRow = (state: CommandSnapshot) => ({
  command_type: state.commandType,
  status: state.status,
  attempts: state.attempts,
  max_attempts: state.maxAttempts,
  total_attempts: state.totalAttempts,
  reply_queue: state.replyTo,
  correlation_id: state.correlationId,
  causation_id: state.causationId,
  tenant_id: state.tenantId,
  owner_id: state.ownerId,
  parent_command_id: state.parentCommandId,
  retry_count: state.retryCount,
  run_at: state.runAt,
  priority: state.priority,
  expires_at: state.expiresAt,
  lane: state.lane,
  lease_expires_at: state.leaseExpiresAt,
  next_attempt_at: state.nextAttemptAt,
  parked_at: state.parkedAt,
  parked_reason: state.parkedReason,
  snoozed_until: state.snoozedUntil,
  assignee: state.assignee,
  tags: state.tags,
  notes: state.notes,
  last_error_type: state.lastErrorType,
  last_error_code: state.lastErrorCode,
  last_error_msg: state.lastErrorMsg,
  last_error_frame: state.lastErrorCode === null ? null : (state.lastErrorFrame ?? ''),
  data_revision: state.dataRevision,
  created_at: state.createdAt,
  updated_at: state.updatedAt,
  revision: state.revision,
})

describe('over random histories', () => {
  test('the state after every event equals that of the projection and of a fold from the start', () => {
    fc.assert(
      fc.property(life, ({ events }) => {
        const log = recorded(events)
        const steps = historyOf(log)
        expect(steps.map(step => step.event)).toEqual(events)
        steps.forEach((step, i) => {
          const { domain: _, command_id: __, queue_name: ___, ...row } = rowAt(log, i)
          expect(asRow(step.state)).toEqual(row)
          const folded = fold(command, events.slice(0, i + 1))
          expect(step.state).toMatchObject({
            data: folded.status === 'NONE' ? null : folded.data,
            result: folded.status === 'COMPLETED' ? folded.result : null,
          })
        })
      }),
    )
  })

  test('the history up to a revision, or to its instant, is the beginning of the whole history', () => {
    fc.assert(
      fc.property(life, fc.nat(), ({ events }, any) => {
        const steps = historyOf(recorded(events))
        const revision = any % steps.length
        expect(stepsAt(steps, revision)).toEqual(historyOf(recorded(events.slice(0, revision + 1))))
        const then = stepsAt(steps, steps[revision]?.at ?? '')
        expect(then).toEqual(steps.slice(0, then.length))
        expect(steps[then.length] === undefined || (steps[then.length]?.at ?? '') > (steps[revision]?.at ?? '')).toBe(
          true,
        )
      }),
    )
  })

  test('what a diff leaves out is the same before and after', () => {
    fc.assert(
      fc.property(life, ({ events }) => {
        const steps = historyOf(recorded(events))
        steps.forEach(({ state, diff }, i) => {
          const before = steps[i - 1]?.state ?? null
          expect(diff).toEqual(snapshotDiff(before, state))
          const touched = new Set(diff.map(({ path }) => path.split('/')[1]))
          for (const name of Object.keys(state) as (keyof CommandSnapshot)[]) {
            if (name === 'revision' || name === 'updatedAt' || touched.has(name)) continue
            expect(state[name]).toEqual(before?.[name] ?? null)
          }
        })
      }),
    )
  })
})

const story = recorded([
  sent({ at: at(0) }),
  received(1, { at: at(1) }),
  failed(1, { at: at(3), retryAt: at(13) }),
  received(2, { at: at(13) }),
  parked(2, 'EXHAUSTED', { at: at(14) }),
  operatorRetried({ at: at(100), data: { amount: 6 }, dataRevision: 5 }),
  received(1, { at: at(101), total: 3, msgId: '2' }),
  completed(1, { at: at(102), msgId: '2' }),
])

test('each step has its actor, time, time since the last step, name in the audit, and changes', () => {
  const steps = historyOf(story)
  expect(steps.map(({ revision, actor, sinceLastMs, names }) => [revision, actor, sinceLastMs, ...names])).toEqual([
    [0, 'shop', null, 'SENT'],
    [1, 'worker:a', 1000, 'RECEIVED'],
    [2, 'worker:a', 2000, 'FAILED', 'RETRY_SCHEDULED'],
    [3, 'worker:a', 10_000, 'RECEIVED'],
    [4, 'worker:a', 1000, 'MOVED_TO_TROUBLESHOOTING_QUEUE'],
    [5, 'jane@example.com', 86_000, 'OPERATOR_RETRY'],
    [6, 'worker:a', 1000, 'RECEIVED'],
    [7, 'worker:a', 1000, 'COMPLETED'],
  ])
  expect(steps.map(({ state }) => state.workerId)).toEqual([
    null,
    'worker:a',
    null,
    'worker:a',
    null,
    null,
    'worker:a',
    null,
  ])
  expect(steps[5]?.diff).toEqual([
    { op: 'replace', path: '/status', from: 'IN_TROUBLESHOOTING_QUEUE', to: 'PENDING' },
    { op: 'replace', path: '/attempts', from: 2, to: 0 },
    { op: 'remove', path: '/parkedAt', from: at(14), to: null },
    { op: 'remove', path: '/parkedReason', from: 'EXHAUSTED', to: null },
    { op: 'replace', path: '/data/amount', from: 5, to: 6 },
    { op: 'replace', path: '/dataRevision', from: 0, to: 5 },
  ])
})

test('a success that carries its receipt is shown as received and completed', () => {
  const receipt = { at: at(1), total: 1, leaseExpiresAt: at(31) }
  const [, last] = historyOf(recorded([sent(), completed(1, { receipt })]))
  expect(last).toMatchObject({ names: ['RECEIVED', 'COMPLETED'], state: { attempts: 1, totalAttempts: 1 } })
})

test('a command that was canceled shows the reason', () => {
  const reasons = historyOf(recorded(lifeOf.CANCELED)).map(({ state }) => state.canceledReason)
  expect(reasons).toEqual([null, 'changed my mind'])
})

test('an instant between two events shows the state after the first of them; before all, nothing', () => {
  const steps = historyOf(story)
  expect(stepsAt(steps, at(50)).at(-1)?.state.status).toBe('IN_TROUBLESHOOTING_QUEUE')
  expect(stepsAt(steps, at(14)).at(-1)?.revision).toBe(4)
  expect(stepsAt(steps, at(-1))).toEqual([])
})

test('if clocks differ, a state is never made from events with a gap between them', () => {
  const steps = historyOf(recorded([sent({ at: at(5) }), received(1, { at: at(2) }), completed(1, { at: at(9) })]))
  expect(steps[1]?.sinceLastMs).toBe(-3000)
  expect(stepsAt(steps, at(3))).toEqual([])
  expect(stepsAt(steps, at(5))).toHaveLength(2)
})

test.each(Object.entries(lifeOf))('a history that ends %s is shown to its end', (status, events) => {
  expect(historyOf(recorded(events)).at(-1)?.state.status ?? 'NONE').toBe(status)
})

describe('a word of the audit', () => {
  test('is the name of an event, or an alias of it', () => {
    for (const word of auditTypes) expect(parseAuditType(word)).toEqual(right(word))
    expect(parseAuditType('MOVED_TO_TSQ')).toEqual(right('MOVED_TO_TROUBLESHOOTING_QUEUE'))
  })

  test.each(['', 'sent', 'toString', 'X'.repeat(1000)])('is refused with a list of the valid ones: %j', word => {
    const words = auditWords.join(', ')
    expect(parseAuditType(word)).toEqual(left(`'${word.slice(0, 80)}' is not an event type: use one of ${words}`))
    expect(words).toMatch(/^SENT, RECEIVED, .*, MOVED_TO_TSQ$/)
  })
})

describe('the names of a failure that ends a command', () => {
  test.each(['TRANSIENT', 'LEASE_LOST'] as const)('say after %s that the retries are exhausted', type => {
    expect(namesOf(exhausted(3, { error: error(type) }))).toEqual(['RETRY_EXHAUSTED'])
  })

  test.each(['PERMANENT', 'NO_HANDLER', 'INVALID_PAYLOAD'] as const)('A21: do not mention retries after %s', type => {
    expect(namesOf(exhausted(1, { error: error(type) }))).toEqual(['FAILED'])
  })
})
