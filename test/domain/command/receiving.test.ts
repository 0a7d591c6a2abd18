import { describe, expect, test } from 'vitest'
import type { CommandEvent } from '../../../src/domain/command/events.ts'
import { command } from '../../../src/domain/command/index.ts'
import { fold } from '../../../src/domain/decider.ts'
import {
  at,
  error,
  exhausted,
  failed,
  given,
  historyOf,
  lost,
  operatorRetried,
  parked,
  policy,
  receive,
  received,
  sent,
  succeed,
} from '../../support/lives/command-life.ts'

const leaseLost = error('LEASE_LOST', {
  code: 'LEASE_LOST',
  message: 'The worker was lost in attempt 3 of 3: its lease ran out without a report',
})

describe('a PENDING command', () => {
  test('A17: its first delivery is its first attempt', () => {
    given([sent()])
      .when(receive(1))
      .then([received(1)])
      .again()
  })

  test('A17: a delivery after reads that left no event counts those reads as lost attempts', () => {
    given([sent()])
      .when(receive(3, { actor: 'worker:c', at: at(90), leaseExpiresAt: at(120) }))
      .then([
        lost(1, { at: at(90) }),
        lost(2, { at: at(90) }),
        received(3, { actor: 'worker:c', at: at(90), leaseExpiresAt: at(120) }),
      ])
      .again()
  })

  test('F13: the reads of an adopted message come before its first attempt, and none of them is a lost one', () => {
    const adopted = { queue: 'payments__commands', msgId: '7', reads: 2 }
    given([sent({ adopted })])
      .when(receive(1))
      .then([received(3, { total: 3 })])
      .again()
    // one attempt is left, however often others read it
    given([sent({ adopted: { ...adopted, reads: 50 } })])
      .when(receive(1))
      .then([received(51, { total: 51 })])
      .again()
    // lost since then
    given([sent({ adopted: { ...adopted, reads: 1 } })])
      .when(receive(2))
      .then([lost(2, { total: 2 }), received(3, { total: 3 })])
      .again()
  })

  test('a delivery after a failure is the next attempt, whichever worker gets it', () => {
    given([sent(), received(1), failed(1)])
      .when(receive(2, { actor: 'worker:b' }))
      .then([received(2, { actor: 'worker:b' })])
      .again()
  })

  test('a delivery whose attempt was reported already is stale', () => {
    const stale = { type: 'StaleAttempt', status: 'PENDING', reported: 1, present: 1 } as const
    given([sent(), received(1), failed(1)])
      .when(receive(1))
      .then(stale)
      .again(stale)
  })

  test('A27: parks when every attempt was lost with its worker', () => {
    given([sent()])
      .when(receive(4, { at: at(90) }))
      .then([
        lost(1, { at: at(90) }),
        lost(2, { at: at(90) }),
        lost(3, { at: at(90) }),
        parked(3, 'LEASE_LOST', { at: at(90), error: leaseLost }),
      ])
      .again({ type: 'NothingToDo', status: 'IN_TROUBLESHOOTING_QUEUE' })
  })

  test('A27: counts no attempt beyond the limit, however often the message was read', () => {
    given([sent({ policy: policy({ maxAttempts: 1 }) })])
      .when(receive(50))
      .then([
        lost(1),
        parked(1, 'LEASE_LOST', {
          at: at(1),
          error: { ...leaseLost, message: leaseLost.message.replace('3 of 3', '1 of 1') },
        }),
      ])
      .again({ type: 'NothingToDo', status: 'IN_TROUBLESHOOTING_QUEUE' })
  })
})

describe('an IN_PROGRESS command', () => {
  const running = [sent(), received(1)]

  test('A27: gets the next attempt when its lease has run out', () => {
    given(running)
      .when(receive(2, { actor: 'worker:b' }))
      .then([received(2, { actor: 'worker:b' })])
      .again()
  })

  test('the same receipt again changes nothing', () => {
    given(running).when(receive(1)).then([]).again()
    given(running)
      .when(receive(1, { at: at(9), leaseExpiresAt: at(39) }))
      .then([])
  })

  test('the same attempt claimed by another worker is stale', () => {
    const stale = { type: 'StaleAttempt', status: 'IN_PROGRESS', reported: 1, present: 1 } as const
    given(running)
      .when(receive(1, { actor: 'worker:b' }))
      .then(stale)
      .again(stale)
  })

  test('an older delivery is stale', () => {
    const stale = { type: 'StaleAttempt', status: 'IN_PROGRESS', reported: 1, present: 2 } as const
    given([...running, received(2, { actor: 'worker:b' })])
      .when(receive(1))
      .then(stale)
      .again(stale)
  })

  test('A27: parks when the worker of the last attempt is lost too', () => {
    given([sent(), received(1), received(2), received(3)])
      .when(receive(4, { at: at(90), actor: 'worker:d' }))
      .then([parked(3, 'LEASE_LOST', { at: at(90), actor: 'worker:d', error: leaseLost })])
      .again({ type: 'NothingToDo', status: 'IN_TROUBLESHOOTING_QUEUE' })
  })

  test('A27: fails instead of parking when its policy says so', () => {
    given([sent({ policy: policy({ onExhausted: 'fail' }) }), received(1), received(2), received(3)])
      .when(receive(4, { at: at(90) }))
      .then([exhausted(3, { at: at(90), error: leaseLost })])
      .again({ type: 'NothingToDo', status: 'FAILED' })
  })
})

describe('a command sent again by an operator', () => {
  const parkedInThird: readonly CommandEvent[] = [
    sent(),
    received(1),
    failed(1),
    received(2),
    failed(2),
    received(3),
    parked(3, 'EXHAUSTED'),
  ]

  test('A2: starts again at attempt 1 while the total goes on', () => {
    given([...parkedInThird, operatorRetried()])
      .when(receive(1, { msgId: '2' }))
      .then([received(1, { msgId: '2', total: 4 })])
      .again()
  })

  test('A2: with the count kept, continues from it and has one more attempt', () => {
    given([...parkedInThird, operatorRetried({ resetAttempts: false, attempts: 3 })])
      .when(receive(1, { msgId: '2' }))
      .then([received(4, { msgId: '2', total: 4 })])
      .again()
  })

  test('A27: with the count kept, parks when that one attempt is lost', () => {
    given([...parkedInThird, operatorRetried({ resetAttempts: false, attempts: 3 })])
      .when(receive(2, { msgId: '2' }))
      .then([
        lost(4, { msgId: '2', total: 4 }),
        parked(4, 'LEASE_LOST', {
          at: at(1),
          msgId: '2',
          error: { ...leaseLost, message: leaseLost.message.replace('3 of 3', '4 of 4') },
        }),
      ])
      .again({ type: 'NothingToDo', status: 'IN_TROUBLESHOOTING_QUEUE' })
  })

  test('a late delivery of the message that was archived is stale, not an attempt of the new round', () => {
    const stale = { type: 'StaleAttempt', status: 'PENDING' } as const
    const state = fold(command, [...historyOf.IN_TROUBLESHOOTING_QUEUE, operatorRetried()])
    expect(command.decide(receive(2, { msgId: '1', actor: 'worker:b' }), state)).toMatchObject({ left: stale })
  })

  test('so is a delivery of an even earlier round: a worker that sleeps through two rounds ends nothing', () => {
    const state = fold(command, [
      ...historyOf.IN_TROUBLESHOOTING_QUEUE,
      operatorRetried(),
      received(1, { msgId: '2', total: 2 }),
      parked(1, 'PERMANENT', { msgId: '2' }),
      operatorRetried({ archivedMsgId: '2' }),
    ])
    const late = receive(1, { msgId: '1', actor: 'worker:b' })
    expect(command.decide(late, state)).toMatchObject({ left: { type: 'StaleAttempt', status: 'PENDING' } })
    expect(command.decide({ ...succeed(1), receive: late }, state)).toMatchObject({
      left: { type: 'StaleAttempt', status: 'PENDING' },
    })
  })

  test('the receipt of an earlier round is not mistaken for the present one with the same number', () => {
    const state = fold(command, [
      ...historyOf.IN_TROUBLESHOOTING_QUEUE,
      operatorRetried(),
      received(1, { msgId: '2', total: 2 }),
    ])
    expect(command.decide(receive(1, { msgId: '1' }), state)).toMatchObject({
      left: { type: 'StaleAttempt', status: 'IN_PROGRESS' },
    })
  })
})

describe.each(['COMPLETED', 'FAILED', 'CANCELED', 'IN_TROUBLESHOOTING_QUEUE'] as const)('a %s command', status => {
  test.each([1, 2, 99])('A24: delivery %i of its message leaves no event', delivery => {
    const refused = { type: 'NothingToDo', status } as const
    given(historyOf[status]).when(receive(delivery)).then(refused).again(refused)
  })
})

test('a message of a command that was never sent is not found', () => {
  given([]).when(receive(1)).then({ type: 'NotFound' }).again({ type: 'NotFound' })
})
