import { describe, expect, test } from 'vitest'
import { command } from '../../../src/domain/command/index.ts'
import { commandStatuses } from '../../../src/domain/command/transitions.ts'
import { fold } from '../../../src/domain/decider.ts'
import {
  at,
  cancel,
  canceled,
  failed,
  given,
  historyOf,
  operatorRetried,
  policy,
  received,
  send,
  sent,
} from '../../support/lives/command-life.ts'

describe('a command that was never sent', () => {
  test('A13: is sent with all that its sender gave', () => {
    const facts = {
      at: at(5),
      actor: 'billing',
      commandType: 'Refund',
      data: { amount: [1, null, { deep: true }] },
      correlationId: 'c-1',
      causationId: 'c-0',
      replyTo: null,
      tenantId: 'acme',
      ownerId: 'u-1',
      parentCommandId: '0192d3a4-0000-7000-8000-000000000009',
      retryCount: 2,
      policy: policy({ maxAttempts: 7, backoffSeconds: [1], jitter: 0.1, onExhausted: 'fail' }),
    }
    given([])
      .when(send(facts))
      .then([sent(facts)])
      .again({ type: 'AlreadySent', status: 'PENDING' })
  })

  test('cannot be canceled', () => {
    given([]).when(cancel()).then({ type: 'NotFound' }).again({ type: 'NotFound' })
  })
})

describe('a command that was sent', () => {
  test.each(commandStatuses)('A14: is not sent a second time while %s', status => {
    const refused = { type: 'AlreadySent', status } as const
    given(historyOf[status]).when(send()).then(refused).again(refused)
    given(historyOf[status])
      .when(send({ data: 'something else', at: at(99) }))
      .then(refused)
  })

  test('is PENDING, without attempts, and has its payload in its first event', () => {
    expect(fold(command, [sent()])).toMatchObject({
      status: 'PENDING',
      retryAt: null,
      dueAt: sent().at,
      sent: sent(),
      data: { amount: 5 },
      dataRevision: 0,
      attempts: 0,
      attemptOffset: 0,
      totalAttempts: 0,
      lastError: null,
      revision: 0,
    })
    expect(fold(command, [sent({ runAt: at(99) })])).toMatchObject({ runAt: at(99), dueAt: at(99) })
  })
})

describe('a sender cancels', () => {
  const refused = { type: 'NotPending', status: 'CANCELED' } as const

  test('a command nobody has worked on', () => {
    given([sent()]).when(cancel()).then([canceled()]).again(refused)
  })

  test('without giving a reason', () => {
    given([sent()])
      .when(cancel({ reason: null }))
      .then([canceled({ reason: null })])
      .again(refused)
  })

  test('a command that waits for its next attempt', () => {
    given([sent(), received(1), failed(1)])
      .when(cancel())
      .then([canceled()])
      .again(refused)
  })

  test('a command that an operator has just sent again', () => {
    given([...historyOf.IN_TROUBLESHOOTING_QUEUE, operatorRetried()])
      .when(cancel())
      .then([canceled()])
      .again(refused)
  })

  test('and a worker that reads its message later has nothing to do', () => {
    expect(fold(command, historyOf.CANCELED)).toMatchObject({ status: 'CANCELED', reason: 'changed my mind' })
  })
})
