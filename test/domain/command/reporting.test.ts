import { isRight } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import type { CommandEvent, ErrorType } from '../../../src/domain/command/events.ts'
import { command } from '../../../src/domain/command/index.ts'
import { fold } from '../../../src/domain/decider.ts'
import {
  at,
  canceled,
  completed,
  error,
  exhausted,
  fail,
  failed,
  given,
  historyOf,
  lost,
  operatorCompleted,
  operatorRetried,
  parked,
  policy,
  receive,
  received,
  rejectedByRule,
  sent,
  succeed,
} from '../../support/lives/command-life.ts'

const running = [sent(), received(1)]
const inLastAttempt = [sent(), received(1), failed(1), received(2), failed(2), received(3)]

describe('success', () => {
  test('A18: completes the command with its result and names the message', () => {
    given([sent(), received(1, { msgId: '42' })])
      .when(succeed(1))
      .then([completed(1, { msgId: '42' })])
      .again()
  })

  test('of a later attempt completes the command too', () => {
    given(inLastAttempt)
      .when(succeed(3))
      .then([completed(3)])
      .again()
  })

  test('reported again with another result changes nothing: the first one stays', () => {
    given([...running, completed(1)])
      .when(succeed(1, { result: 'another', at: at(9) }))
      .then([])
  })

  test('of a worker is stale after another worker has completed the command', () => {
    const stale = { type: 'StaleAttempt', status: 'COMPLETED', reported: 1, present: 1 } as const
    given([...running, completed(1)])
      .when(succeed(1, { actor: 'worker:b' }))
      .then(stale)
      .again(stale)
  })
})

describe('success with its receipt', () => {
  const receipt = { at: at(1), total: 1, leaseExpiresAt: at(31) }

  test('A17: of an attempt that the log does not know yet is one event, with the time when the attempt was received', () => {
    given([sent()])
      .when(succeed(1, { receive: receive(1, { msgId: '42' }) }))
      .then([completed(1, { msgId: '42', receipt })])
      .again()
  })

  test('A17: counts the attempt', () => {
    const after = fold(command, [sent(), received(1), failed(1), completed(2, { receipt: { ...receipt, total: 2 } })])
    expect(after).toMatchObject({ status: 'COMPLETED', attempts: 2, totalAttempts: 2 })
  })

  test('A18: of an attempt that is recorded as running is only the outcome', () => {
    given(running)
      .when(succeed(1, { receive: receive(1) }))
      .then([completed(1)])
      .again()
  })

  test('A17: records the attempts that were lost before it', () => {
    given([sent()])
      .when(succeed(3, { receive: receive(3) }))
      .then([lost(1), lost(2), completed(3, { receipt: { ...receipt, total: 3 } })])
      .again()
  })

  test('A27: counts after an attempt whose lease ran out', () => {
    given(running)
      .when(succeed(2, { actor: 'worker:b', receive: receive(2, { actor: 'worker:b' }) }))
      .then([completed(2, { actor: 'worker:b', receipt: { ...receipt, total: 2 } })])
      .again()
  })

  test('is stale when a newer attempt is known', () => {
    const stale = { type: 'StaleAttempt', status: 'IN_PROGRESS', reported: 1, present: 2 } as const
    given([...running, received(2, { actor: 'worker:b' })])
      .when(succeed(1, { receive: receive(1) }))
      .then(stale)
      .again(stale)
  })

  test('of another attempt than the one received is stale', () => {
    given([sent()])
      .when(succeed(1, { receive: receive(2) }))
      .then({ type: 'StaleAttempt', status: 'PENDING', reported: 1, present: 0 })
  })

  test('of another attempt than the one that completed the command is stale, also from the same worker', () => {
    given([...running, received(2), completed(2)])
      .when(succeed(1, { receive: receive(1) }))
      .then({ type: 'NothingToDo', status: 'COMPLETED' })
  })

  test('after the last attempt is stale: no attempt is left', () => {
    given(inLastAttempt)
      .when(succeed(4, { receive: receive(4) }))
      .then({ type: 'StaleAttempt', status: 'IN_PROGRESS', reported: 4, present: 3 })
  })

  test('A24: of a command that was canceled meanwhile does nothing', () => {
    given([sent(), canceled()])
      .when(succeed(1, { receive: receive(1) }))
      .then({ type: 'NothingToDo', status: 'CANCELED' })
  })
})

describe('a transient failure', () => {
  test('A19: waits as long as the policy says and goes back to PENDING', () => {
    given(running)
      .when(fail(1))
      .then([failed(1, { retryAt: at(2 + 10) })])
      .again()
    expect(fold(command, [...running, failed(1)])).toMatchObject({
      status: 'PENDING',
      retryAt: at(12),
      lastError: error('TRANSIENT'),
    })
  })

  test('A19: waits longer after the second one, with the message of that attempt', () => {
    given([sent(), received(1), failed(1), received(2, { msgId: '1' })])
      .when(fail(2))
      .then([failed(2, { retryAt: at(2 + 60) })])
      .again()
  })

  test('A19: adds the jitter that was drawn', () => {
    given([sent({ policy: policy({ jitter: 0.5 }) }), received(1)])
      .when(fail(1, 'TRANSIENT', { random: 0.5 }))
      .then([failed(1, { retryAt: at(2 + 12.5) })])
      .again()
  })

  test('A20: of the last attempt parks the command as EXHAUSTED, its error kept', () => {
    given(inLastAttempt)
      .when(fail(3))
      .then([parked(3, 'EXHAUSTED')])
      .again()
  })

  test("A20: the command's own maxAttempts decides, not the default", () => {
    given([sent({ policy: policy({ maxAttempts: 1 }) }), received(1)])
      .when(fail(1))
      .then([parked(1, 'EXHAUSTED')])
      .again()
    given([sent({ policy: policy({ maxAttempts: 4 }) }), ...inLastAttempt.slice(1)])
      .when(fail(3))
      .then([failed(3, { retryAt: at(2 + 300) })])
      .again()
  })

  test('of the last attempt fails the command when its policy says so', () => {
    given([sent({ policy: policy({ onExhausted: 'fail', maxAttempts: 1 }) }), received(1)])
      .when(fail(1))
      .then([exhausted(1)])
      .again()
  })

  test('A2: after a retry that kept the count there is one more attempt, then the command parks', () => {
    const round = [
      ...inLastAttempt,
      parked(3, 'EXHAUSTED'),
      operatorRetried({ resetAttempts: false, attempts: 3 }),
      received(4, { msgId: '2', total: 4 }),
    ]
    given(round)
      .when(fail(4))
      .then([parked(4, 'EXHAUSTED', { msgId: '2' })])
      .again()
  })

  test('A2: with the count kept and attempts left, the waits of the new round begin with the first', () => {
    const round = [
      sent({ policy: policy({ maxAttempts: 5 }) }),
      received(1),
      parked(1),
      operatorRetried({ resetAttempts: false, attempts: 1 }),
      received(2, { msgId: '2' }),
    ]
    given(round)
      .when(fail(2))
      .then([failed(2, { msgId: '2', retryAt: at(2 + 10) })])
      .again()
  })
})

describe('an attempt that its worker gave up', () => {
  test('R22: counts, and may be followed by the next one at once', () => {
    given([...running])
      .when(fail(1, 'TRANSIENT', { givenUp: { counts: true } }))
      .then([failed(1, { retryAt: at(2) })])
      .again()
  })

  test('R22: parks the command when it was the last one', () => {
    given(inLastAttempt)
      .when(fail(3, 'TRANSIENT', { givenUp: { counts: true } }))
      .then([parked(3, 'EXHAUSTED')])
      .again()
  })

  test('R7: does not count when the command was not the cause, also if it is the last one', () => {
    const stale = { type: 'StaleAttempt', status: 'PENDING', reported: 3, present: 2 } as const
    given(inLastAttempt)
      .when(fail(3, 'TRANSIENT', { givenUp: { counts: false } }))
      .then([failed(3, { retryAt: at(2), uncounted: true })])
      .again(stale)
  })

  test('R7: is followed by one with the same number, which the count of the whole life distinguishes', () => {
    given([...running, failed(1, { retryAt: at(2), uncounted: true })])
      .when(receive(1))
      .then([received(1, { total: 2 })])
  })
})

describe('a failure for good', () => {
  test.each(['PERMANENT', 'NO_HANDLER', 'INVALID_PAYLOAD', 'LEASE_LOST'] as const)(
    'A21: %s parks at once, its details kept, though attempts are left',
    type => {
      const details = { account: 7, tags: ['a', null] }
      given(running)
        .when(fail(1, type, { error: error(type, { details }) }))
        .then([parked(1, type, { error: error(type, { details }) })])
        .again()
    },
  )

  test.each(['PERMANENT', 'NO_HANDLER', 'INVALID_PAYLOAD', 'LEASE_LOST'] as const)(
    '%s fails the command when its policy never parks',
    type => {
      given([sent({ policy: policy({ onExhausted: 'fail' }) }), received(1)])
        .when(fail(1, type))
        .then([exhausted(1, { error: error(type) })])
        .again()
    },
  )

  test('a changed message parks the command whatever its policy says, so that somebody investigates', () => {
    for (const onExhausted of ['park', 'fail'] as const) {
      given([sent({ policy: policy({ onExhausted }) }), received(1)])
        .when(fail(1, 'TAMPERED'))
        .then([parked(1, 'TAMPERED')])
        .again()
    }
  })

  test('A22: a broken business rule ends the command FAILED, never parked', () => {
    given(running)
      .when(fail(1, 'BUSINESS_RULE'))
      .then([rejectedByRule(1)])
      .again()
    given(inLastAttempt)
      .when(fail(3, 'BUSINESS_RULE'))
      .then([rejectedByRule(3)])
      .again()
  })
})

describe('a report of an attempt that is not the present one', () => {
  const types: readonly ErrorType[] = ['TRANSIENT', 'PERMANENT', 'BUSINESS_RULE', 'NO_HANDLER', 'INVALID_PAYLOAD']
  const reports = (attempt: number) => [succeed(attempt), ...types.map(type => fail(attempt, type))]

  test('changes nothing while a newer attempt runs', () => {
    for (const report of reports(1)) {
      const stale = { type: 'StaleAttempt', status: 'IN_PROGRESS', reported: 1, present: 2 } as const
      given([...running, received(2, { actor: 'worker:b' })])
        .when(report)
        .then(stale)
        .again(stale)
    }
  })

  test('changes nothing after the command has ended or has been parked in a newer attempt', () => {
    const endings: readonly CommandEvent[] = [completed(2), rejectedByRule(2), exhausted(2), parked(2)]
    for (const ending of endings) {
      for (const report of reports(1)) {
        expect(command.decide(report, fold(command, [...running, received(2), ending]))).toMatchObject({
          left: { type: 'StaleAttempt', reported: 1, present: 2 },
        })
      }
    }
  })

  test('changes nothing when it names an attempt that was never received', () => {
    for (const report of reports(2)) {
      const stale = { type: 'StaleAttempt', status: 'IN_PROGRESS', reported: 2, present: 1 } as const
      given(running).when(report).then(stale).again(stale)
    }
  })

  test('changes nothing after an operator has ended or sent the command again', () => {
    const inRetry = [...historyOf.IN_TROUBLESHOOTING_QUEUE, operatorRetried()]
    const done = [...historyOf.IN_TROUBLESHOOTING_QUEUE, operatorCompleted()]
    for (const report of reports(1)) {
      given(inRetry).when(report).then({ type: 'StaleAttempt', status: 'PENDING', reported: 1, present: 0 })
      given(done).when(report).then({ type: 'StaleAttempt', status: 'COMPLETED', reported: 1, present: 1 })
    }
  })

  test('is not a repetition when the same worker reported another outcome, or when its attempt belongs to a new round', () => {
    const stale = (status: 'COMPLETED' | 'FAILED' | 'PENDING') =>
      ({ type: 'StaleAttempt', status, reported: 1, present: 1 }) as const
    given(historyOf.COMPLETED).when(fail(1)).then(stale('COMPLETED'))
    given(historyOf.FAILED).when(succeed(1)).then(stale('FAILED'))
    given([...historyOf.IN_TROUBLESHOOTING_QUEUE, operatorRetried({ resetAttempts: false, attempts: 1 })])
      .when(fail(1, 'PERMANENT'))
      .then(stale('PENDING'))
  })

  test('cannot finish the attempt of the same number in a later round', () => {
    const secondRound = [
      ...historyOf.IN_TROUBLESHOOTING_QUEUE,
      operatorRetried(),
      received(1, { msgId: '2', total: 2, actor: 'worker:a' }),
    ]
    // a worker appends its receipt and its report together: the receipt is the fence
    let state = fold(command, secondRound)
    const events: CommandEvent[] = []
    for (const intent of [receive(1, { msgId: '1' }), succeed(1)]) {
      const decision = command.decide(intent, state)
      if (!isRight(decision)) break
      events.push(...decision.right)
      state = fold(command, decision.right, state)
    }
    expect(events).toEqual([])
  })
})
