import { describe, expect, test } from 'vitest'
import { command } from '../../../src/domain/command/index.ts'
import { fold } from '../../../src/domain/decider.ts'
import {
  at,
  canceled,
  completed,
  expire,
  expired,
  failed,
  given,
  receive,
  received,
  reschedule,
  rescheduled,
  sent,
} from '../../support/lives/command-life.ts'

describe('a command that waits for its time', () => {
  const later = sent({ runAt: at(600) })

  test('F1: is put off, and the same again changes nothing', () => {
    given([later])
      .when(reschedule({ runAt: at(3600) }))
      .then([rescheduled({ runAt: at(3600) })])
      .again([])
    expect(fold(command, [later, rescheduled({ runAt: at(3600) })])).toMatchObject({
      status: 'PENDING',
      runAt: at(3600),
      retryAt: null,
    })
  })

  test('F1: is run at once, and the second request of that changes nothing', () => {
    given([later])
      .when(reschedule({ at: at(5), runAt: at(5) }))
      .then([rescheduled({ at: at(5), runAt: at(5) })])
      .again([])
    given([later, rescheduled({ at: at(5), runAt: at(5) })])
      .when(reschedule({ at: at(9), runAt: at(9) }))
      .then([])
  })

  test('F1: one that runs at once already is put off, and not run at once a second time', () => {
    given([sent()])
      .when(reschedule({ at: at(5), runAt: at(5) }))
      .then([])
    given([sent()])
      .when(reschedule({ at: at(5), runAt: at(50) }))
      .then([rescheduled({ at: at(5), runAt: at(50) })])
  })

  test('F1: is not put off until it has expired', () => {
    const refused = { type: 'ExpiresBefore', expiresAt: at(900) } as const
    given([sent({ expiresAt: at(900) })])
      .when(reschedule({ runAt: at(900) }))
      .then(refused)
      .again(refused)
  })

  test.each([
    ['is running', [received(1)], 'IN_PROGRESS'],
    ['waits for its next attempt', [received(1), failed(1)], 'PENDING'],
    ['was canceled', [canceled()], 'CANCELED'],
    ['has expired', [expired()], 'CANCELED'],
    ['is done', [received(1), completed(1)], 'COMPLETED'],
  ] as const)('F1: is not moved when it %s', (_, events, status) => {
    const refused = { type: 'Begun', status } as const
    given([sent({ expiresAt: at(60) }), ...events])
      .when(reschedule())
      .then(refused)
      .again(refused)
  })
})

describe('a command with a time until which it has to be begun', () => {
  const waiting = sent({ expiresAt: at(60) })

  test('F3: expires at that time, once', () => {
    given([waiting])
      .when(expire({ at: at(60) }))
      .then([expired({ at: at(60), expiresAt: at(60) })])
      .again([])
    expect(fold(command, [waiting, expired()])).toMatchObject({ status: 'CANCELED', reason: 'EXPIRED' })
  })

  test('F3: does not expire before, and one without such a time never does', () => {
    given([waiting])
      .when(expire({ at: at(59.999) }))
      .then([])
    given([sent()])
      .when(expire({ at: at(99_999) }))
      .then([])
  })

  test.each([
    ['runs', [received(1)]],
    ['is tried again', [received(1), failed(1)]],
    ['was canceled', [canceled()]],
  ] as const)('F3: does not expire when it %s', (_, events) => {
    given([waiting, ...events])
      .when(expire({ at: at(99_999) }))
      .then([])
  })

  test('F3: has nothing left to begin after that', () => {
    given([waiting, expired()]).when(receive(1)).then({ type: 'NothingToDo', status: 'CANCELED' })
  })
})
