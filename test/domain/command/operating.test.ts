import { describe, expect, test } from 'vitest'
import { command } from '../../../src/domain/command/index.ts'
import type { CommandStatus } from '../../../src/domain/command/transitions.ts'
import { fold } from '../../../src/domain/decider.ts'
import type { Json } from '../../../src/domain/json/json.ts'
import {
  fail,
  failed,
  given,
  historyOf,
  operatorAssign,
  operatorAssigned,
  operatorCancel,
  operatorCanceled,
  operatorComplete,
  operatorCompleted,
  operatorEndAttempt,
  operatorEndedAttempt,
  operatorNote,
  operatorNoted,
  operatorRetried,
  operatorRetry,
  operatorSnooze,
  operatorSnoozed,
  operatorTag,
  operatorTagged,
  parked,
  receive,
  received,
  sent,
  succeed,
} from '../../support/lives/command-life.ts'

const inTroubleshooting = historyOf.IN_TROUBLESHOOTING_QUEUE
const notIn = (status: CommandStatus) => ({ type: 'NotInTroubleshooting', status }) as const
const afterThree = [sent(), received(1), failed(1), received(2), failed(2), received(3), parked(3, 'EXHAUSTED')]

const changed = (path: string, from: Json, to: Json) => ({ op: 'replace', path, from, to }) as const

describe('an operator retries', () => {
  test('A1: names the archived message and the event that holds its payload', () => {
    given([sent(), received(1, { msgId: '42' }), parked(1, 'PERMANENT', { msgId: '42' })])
      .when(operatorRetry())
      .then([operatorRetried({ archivedMsgId: '42', dataRevision: 0 })])
      .again(notIn('PENDING'))
  })

  test('A2: the attempts begin at 0 again and the total stays', () => {
    given(afterThree)
      .when(operatorRetry())
      .then([operatorRetried({ attempts: 0 })])
      .again(notIn('PENDING'))
    expect(fold(command, [...afterThree, operatorRetried()])).toMatchObject({
      status: 'PENDING',
      retryAt: null,
      dueAt: operatorRetried().at,
      attempts: 0,
      attemptOffset: 0,
      totalAttempts: 3,
    })
  })

  test('A2: the attempts are kept when asked', () => {
    given(afterThree)
      .when(operatorRetry({ resetAttempts: false }))
      .then([operatorRetried({ resetAttempts: false, attempts: 3 })])
      .again(notIn('PENDING'))
    expect(fold(command, [...afterThree, operatorRetried({ resetAttempts: false, attempts: 3 })])).toMatchObject({
      status: 'PENDING',
      attempts: 3,
      attemptOffset: 3,
      totalAttempts: 3,
    })
  })

  test('after a message was changed, the next message is made from the log', () => {
    given([sent(), received(1), parked(1, 'TAMPERED')])
      .when(operatorRetry())
      .then([operatorRetried({ fromLog: true })])
      .again(notIn('PENDING'))
  })

  test('an edited payload is stored in the event of the retry', () => {
    given(inTroubleshooting)
      .when(operatorRetry({ data: { amount: 6 } }))
      .then([operatorRetried({ data: { amount: 6 }, dataRevision: 3, diff: [changed('/amount', 5, 6)] })])
      .again(notIn('PENDING'))
    expect(fold(command, [...inTroubleshooting, operatorRetried({ data: null, dataRevision: 3 })])).toMatchObject({
      data: null,
      dataRevision: 3,
    })
  })

  test('a payload that is edited to null counts as edited', () => {
    given(inTroubleshooting)
      .when(operatorRetry({ data: null }))
      .then([operatorRetried({ data: null, dataRevision: 3, diff: [changed('', { amount: 5 }, null)] })])
  })

  test('a second retry without an edit sends the payload edited in the first', () => {
    const edited = [
      ...inTroubleshooting,
      operatorRetried({ data: { amount: 6 }, dataRevision: 3 }),
      received(1, { msgId: '2', total: 2 }),
      parked(1, 'PERMANENT', { msgId: '2' }),
    ]
    given(edited)
      .when(operatorRetry())
      .then([operatorRetried({ archivedMsgId: '2', dataRevision: 3 })])
      .again(notIn('PENDING'))
    expect(fold(command, [...edited, operatorRetried({ dataRevision: 3 })])).toMatchObject({ data: { amount: 6 } })
  })
})

describe('an operator cancels', () => {
  test('A6: a parked command, with the reason', () => {
    given(inTroubleshooting).when(operatorCancel()).then([operatorCanceled()]).again(notIn('CANCELED'))
  })

  test.each(['', ' ', '\n\t\u00a0'])('A7: not with the blank reason %j', reason => {
    given(inTroubleshooting)
      .when(operatorCancel({ reason }))
      .then({ type: 'BlankReason' })
      .again({ type: 'BlankReason' })
  })
})

describe('an operator completes', () => {
  test('A9: a parked command, with the result data', () => {
    given(inTroubleshooting).when(operatorComplete()).then([operatorCompleted()]).again(notIn('COMPLETED'))
    expect(fold(command, [...inTroubleshooting, operatorCompleted()])).toMatchObject({
      status: 'COMPLETED',
      result: { settledBy: 'hand' },
      finishedBy: 'jane@example.com',
    })
  })

  test('A9: also with nothing', () => {
    given(inTroubleshooting)
      .when(operatorComplete({ resultData: null }))
      .then([operatorCompleted({ resultData: null })])
  })
})

describe('an operator snoozes', () => {
  const snoozed = [...inTroubleshooting, operatorSnoozed()]

  test('a parked command until an instant: it stays parked as it was', () => {
    given(inTroubleshooting).when(operatorSnooze()).then([operatorSnoozed()]).again([])
    const [before, after] = [fold(command, inTroubleshooting), fold(command, snoozed)]
    const parking = before.status === 'IN_TROUBLESHOOTING_QUEUE' ? before.parking : undefined
    expect(after).toEqual({ ...before, revision: 3, parking: { ...parking, snoozedUntil: operatorSnoozed().until } })
  })

  test('without a reason, too', () => {
    const { reason: _, ...withoutReason } = operatorSnooze()
    given(inTroubleshooting)
      .when(withoutReason)
      .then([operatorSnoozed({ reason: null })])
      .again([])
  })

  test('again until another instant, which replaces the first', () => {
    const until = '2027-01-01T00:00:00.000Z'
    given(snoozed)
      .when(operatorSnooze({ until }))
      .then([operatorSnoozed({ until })])
      .again([])
  })

  test.each([
    [operatorRetry(), operatorRetried()],
    [operatorCancel(), operatorCanceled()],
    [operatorComplete(), operatorCompleted()],
  ])('$type still works, as if there were no snooze', (intent, event) => {
    given(snoozed).when(intent).then([event])
  })
})

describe('O3: an operator writes down', () => {
  test('a note, whose repetition is no second one', () => {
    given(inTroubleshooting).when(operatorNote()).then([operatorNoted()]).again([])
    const noted = [...inTroubleshooting, operatorNoted()]
    given(noted)
      .when(operatorNote({ actor: 'joe@example.com' }))
      .then([operatorNoted({ actor: 'joe@example.com', number: 2 })])
    given(noted)
      .when(operatorNote({ text: 'is back' }))
      .then([operatorNoted({ text: 'is back', number: 2 })])
      .again([])
  })

  test('who takes care of it, and that nobody does', () => {
    const assigned = [...inTroubleshooting, operatorAssigned()]
    given(inTroubleshooting).when(operatorAssign()).then([operatorAssigned()]).again([])
    given(assigned)
      .when(operatorAssign({ assignee: null }))
      .then([operatorAssigned({ assignee: null })])
      .again([])
    given(inTroubleshooting)
      .when(operatorAssign({ assignee: null }))
      .then([])
  })

  test('tags, which replace those before', () => {
    const tagged = [...inTroubleshooting, operatorTagged()]
    given(inTroubleshooting).when(operatorTag()).then([operatorTagged()]).again([])
    given(tagged)
      .when(operatorTag({ tags: [] }))
      .then([operatorTagged({ tags: [] })])
      .again([])
  })

  test('and it stays when the command is retried and parks again; the snooze stays while it is parked', () => {
    const until = operatorSnoozed().until
    const events = [
      ...inTroubleshooting,
      operatorSnoozed(),
      operatorAssigned({ snoozedUntil: until }),
      operatorTagged({ snoozedUntil: until }),
      operatorNoted({ snoozedUntil: until }),
    ]
    const care = { assignee: 'jane@example.com', tags: ['bank', 'eu'], notes: 1 }
    expect(fold(command, events)).toMatchObject({ care, parking: { snoozedUntil: until }, parkedBy: 2 })
    const again = [...events, operatorRetried(), received(1), parked(1)]
    expect(fold(command, again)).toMatchObject({ care, parking: { snoozedUntil: null } })
  })
})

describe.each(['PENDING', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELED'] as const)('a command in %s', status => {
  test.each([
    ['A4', operatorRetry()],
    ['A7', operatorCancel()],
    ['A9', operatorComplete()],
    ['snooze', operatorSnooze()],
    ['O3: note', operatorNote()],
    ['O3: assign', operatorAssign()],
    ['O3: tag', operatorTag()],
  ])('%s is refused, because it is not in troubleshooting; the refusal names its status', (_, intent) => {
    given(historyOf[status]).when(intent).then(notIn(status)).again(notIn(status))
  })
})

test('A4: a command that was never sent is not found', () => {
  for (const intent of [operatorRetry(), operatorCancel(), operatorComplete()]) {
    given([]).when(intent).then({ type: 'NotFound' }).again({ type: 'NotFound' })
  }
})

test('A5: of two operators the second finds the command no longer in troubleshooting', () => {
  const first = [...inTroubleshooting, operatorRetried()]
  given(first)
    .when(operatorRetry({ actor: 'joe@example.com' }))
    .then(notIn('PENDING'))
  given(first)
    .when(operatorCancel({ actor: 'joe@example.com' }))
    .then(notIn('PENDING'))
  given([...inTroubleshooting, operatorCanceled()])
    .when(operatorComplete())
    .then(notIn('CANCELED'))
})

describe('an operator ends an attempt', () => {
  const running = [sent(), received(1, { msgId: '42' })]
  const ended = operatorEndedAttempt(1, { msgId: '42' })
  const notRunning = (status: CommandStatus) => ({ type: 'NotInProgress', status }) as const

  test('R6: that runs now: the command is parked, with the reason', () => {
    given(running).when(operatorEndAttempt()).then([ended]).again(notRunning('IN_TROUBLESHOOTING_QUEUE'))
    expect(fold(command, [...running, ended])).toMatchObject({
      status: 'IN_TROUBLESHOOTING_QUEUE',
      parking: { parkedReason: 'ATTEMPT_ENDED' },
      archivedMsgId: '42',
      attempts: 1,
      totalAttempts: 1,
      lastError: { code: 'ATTEMPT_ENDED', message: 'an operator ended attempt 1: it hangs' },
    })
  })

  test.each(['', ' ', '\n\t\u00a0'])('R6: not with the blank reason %j', reason => {
    given(running).when(operatorEndAttempt({ reason })).then({ type: 'BlankReason' }).again({ type: 'BlankReason' })
  })

  test('R6: later reports of that attempt do not count', () => {
    const status = 'IN_TROUBLESHOOTING_QUEUE'
    const stale = { type: 'StaleAttempt', status, reported: 1, present: 1 } as const
    given([...running, ended])
      .when(fail(1))
      .then(stale)
    given([...running, ended])
      .when(fail(1, 'PERMANENT'))
      .then(stale)
    given([...running, ended])
      .when(succeed(1))
      .then(stale)
    const receipt = receive(1, { msgId: '42' })
    given([...running, ended])
      .when(succeed(1, { receive: receipt }))
      .then({ type: 'NothingToDo', status })
  })

  test('R6: nor do they count when the command runs again, with the same attempt number in a new round', () => {
    const again = [...running, ended, operatorRetried({ archivedMsgId: '42' })]
    const late = succeed(1, { receive: receive(1, { msgId: '42' }) })
    const stale = (status: CommandStatus, present: number) =>
      ({ type: 'StaleAttempt', status, reported: 1, present }) as const
    given(again).when(late).then(stale('PENDING', 0))
    given([...again, received(1, { msgId: '43', total: 2, actor: 'worker:b' })])
      .when(late)
      .then(stale('IN_PROGRESS', 1))
  })

  test('R6: the command can then be retried, canceled and completed', () => {
    const parkedSo = [...running, ended]
    given(parkedSo)
      .when(operatorRetry())
      .then([operatorRetried({ archivedMsgId: '42' })])
    given(parkedSo).when(operatorCancel()).then([operatorCanceled()])
    given(parkedSo).when(operatorComplete()).then([operatorCompleted()])
  })

  test.each(['PENDING', 'COMPLETED', 'FAILED', 'CANCELED', 'IN_TROUBLESHOOTING_QUEUE'] as const)(
    'R6: but not of a command in %s',
    status => {
      given(historyOf[status]).when(operatorEndAttempt()).then(notRunning(status)).again(notRunning(status))
    },
  )
})
