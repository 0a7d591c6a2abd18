import { describe, expect, test } from 'vitest'
import type { AttemptOutcome } from '../../../src/application/deploying/attempt-outcome.ts'
import { compareAttempts, ignoredPathOf } from '../../../src/application/deploying/compare-attempts.ts'
import { fairShares } from '../../../src/application/deploying/fair-share.ts'
import { patternOf } from '../../../src/application/deploying/fault-pattern.ts'
import { pastAttempt } from '../../../src/application/deploying/past-attempt.ts'
import { createReport } from '../../../src/application/deploying/rehearsal-report.ts'
import type { CommandEvent } from '../../../src/domain/command/events.ts'
import type { Json } from '../../../src/domain/json/json.ts'

const fine = (result: Json, sent?: readonly Json[]): AttemptOutcome => ({
  kind: 'succeeded',
  result,
  ...(sent === undefined ? {} : { sent: sent as never }),
})
const failed = (type: string, code: string, message = 'it failed'): AttemptOutcome =>
  ({ kind: 'failed', type, code, message }) as AttemptOutcome

describe('K5: two ends of an attempt', () => {
  test.each([
    ['same', fine({ a: 1, b: 2 }), fine({ b: 2, a: 1 }), []],
    ['other-result', fine({ a: [1, 2] }), fine({ a: [1, 3] }), ['/result/a/1']],
    ['other-result', fine(1, [{ a: 1 }]), fine(1, []), ['/sent/0']],
    // what a handler sent is not known where it is not transactional
    ['same', fine(1), fine(1, [{ a: 1 }]), []],
    ['newly-failing', fine(1), failed('PERMANENT', 'CLOSED'), []],
    ['newly-succeeding', failed('PERMANENT', 'CLOSED'), fine(1), []],
    ['same', failed('PERMANENT', 'CLOSED', 'at 12:00'), failed('PERMANENT', 'CLOSED', 'at 12:01'), []],
    ['other-result', failed('PERMANENT', 'CLOSED'), failed('TRANSIENT', 'BUSY'), ['/error/type', '/error/code']],
    ['same', failed('LEASE_LOST', 'LEASE_LOST'), failed('CRASHED', 'REHEARSAL_CRASHED'), []],
    ['same', failed('TRANSIENT', 'TIMEOUT'), failed('TIMEOUT', 'REHEARSAL_TIMEOUT'), []],
    [
      'other-result',
      failed('TRANSIENT', 'BUSY'),
      failed('TIMEOUT', 'REHEARSAL_TIMEOUT'),
      ['/error/type', '/error/code'],
    ],
  ] as const)('are %s: %j and %j', (verdict, before, now, paths) => {
    const compared = compareAttempts(before, now)
    expect(compared.verdict).toBe(verdict)
    expect(compared.differences.map(({ path }) => path)).toEqual(paths)
  })

  test('differ only where no ignored path covers the difference', () => {
    const before = fine({ at: 1, items: [{ id: 1, price: 2 }] }, [{ data: { id: 1 } }])
    const now = fine({ at: 2, items: [{ id: 2, price: 2 }] }, [{ data: { id: 2 } }])
    const compared = (...paths: string[]) => compareAttempts(before, now, paths.map(ignoredPathOf))
    expect(compared('result.at', 'result.items.*.id', 'sent').verdict).toBe('same')
    expect(compared('result.at', 'result.items.*.price', 'sent').differences).toMatchObject([
      { path: '/result/items/0/id' },
    ])
  })
})

test('K5: a limit is shared fairly, so that a rare type is not lost among those of a busy one', () => {
  expect(fairShares([100_000, 3, 50], 100)).toEqual([49, 3, 48])
  expect(fairShares([5, 5], 100)).toEqual([5, 5])
  expect(fairShares([5, 5, 5], 2)).toEqual([1, 1, 0])
  expect(fairShares([0, 7, 7], 10)).toEqual([0, 5, 5])
})

test('K5: a report does not grow with what it is about: large values are cut, and far differences counted', () => {
  const report = createReport(value => value)
  for (let i = 0; i < 400; i++) {
    const command = {
      domain: 'payments',
      commandType: 'Charge',
      commandId: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
    }
    const before = fine({ text: 'x'.repeat(5_000), list: Array(100).fill('before'.repeat(400)) })
    const now = fine({ text: 'y'.repeat(5_000), list: Array(100).fill('now'.repeat(400)) })
    report.add(command, compareAttempts(before, now), before, now, 1)
  }
  const result = report.result()
  expect(result).toMatchObject({ otherResult: 400, changedOmitted: 400 - result.changed.length })
  expect(JSON.stringify(result).length).toBeLessThan(20 * 1024 * 1024)
  expect(result.groups.map(({ what, commands }) => [what, commands])).toEqual([
    ['result.text', 400],
    ['result.list.*', 400],
  ])
  expect(result.changed[0]?.differences[0]).toMatchObject({ from: null, fromBytes: 5_002 })
})

test('K6: faults of items are one fault of their list', () => {
  expect(patternOf('data.items.12.price: expected number')).toBe('data.items.*.price: expected number')
  expect(patternOf('something is wrong')).toBe('something is wrong')
})

test('K5: the last attempt is rehearsed as it was: with the payload that it had, and its counts', () => {
  const fact = { at: '2026-11-29T10:00:00.000Z', actor: 'worker:a' }
  const sent: CommandEvent = {
    ...fact,
    type: 'CommandSent',
    commandType: 'Charge',
    data: { amount: 1 },
    correlationId: 'c',
    causationId: null,
    replyTo: null,
    tenantId: null,
    ownerId: null,
    parentCommandId: null,
    retryCount: 0,
    policy: { maxAttempts: 3, backoffSeconds: [1], jitter: false, onExhausted: 'park' } as never,
  }
  const received = (attempt: number, total: number): CommandEvent => ({
    ...fact,
    type: 'CommandReceived',
    attempt,
    total,
    msgId: `${total}`,
    leaseExpiresAt: fact.at,
    lost: false,
  })
  const error = { type: 'PERMANENT', code: 'CLOSED', message: 'closed', frame: 'src/charge.ts:1' } as const
  const parked = (attempt: number, msgId: string): CommandEvent => ({
    ...fact,
    type: 'CommandMovedToTroubleshooting',
    attempt,
    msgId,
    reason: 'PERMANENT',
    error,
  })
  const retried = (amount: number): CommandEvent => ({
    ...fact,
    type: 'OperatorRetried',
    resetAttempts: true,
    attempts: 0,
    archivedMsgId: '1',
    dataRevision: 3,
    data: { amount },
  })
  const key = { domain: 'payments', commandId: '00000000-0000-4000-8000-000000000001' }
  const history = [sent, received(1, 1), parked(1, '1'), retried(2), received(1, 2), parked(1, '2')]
  const last = {
    request: { command: { data: { amount: 2 }, commandType: 'Charge' }, attempt: 1, maxAttempts: 3, totalAttempts: 2 },
    outcome: { kind: 'failed', type: 'PERMANENT', code: 'CLOSED', frame: 'src/charge.ts:1' },
    revision: 5,
  }
  expect(pastAttempt(key, history)).toMatchObject(last)
  // a later edit was not known to that attempt
  expect(pastAttempt(key, [...history, retried(3)])).toMatchObject(last)
  expect(pastAttempt(key, history.slice(0, 2))).toBeNull()
})
