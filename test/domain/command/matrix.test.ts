import { isLeft, isRight } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { command } from '../../../src/domain/command/index.ts'
import type { CommandIntent } from '../../../src/domain/command/intents.ts'
import { type CommandStatus, commandStatuses, isLegal, transitions } from '../../../src/domain/command/transitions.ts'
import { fold } from '../../../src/domain/decider.ts'
import {
  cancel,
  expire,
  fail,
  historyOf,
  operatorAssign,
  operatorCancel,
  operatorComplete,
  operatorEndAttempt,
  operatorNote,
  operatorRetry,
  operatorSnooze,
  operatorTag,
  receive,
  reschedule,
  send,
  succeed,
} from '../../support/lives/command-life.ts'

const intents: Readonly<Record<string, CommandIntent>> = {
  send: send(),
  'receive the first delivery': receive(1, { actor: 'worker:b' }),
  'receive a second delivery': receive(2, { actor: 'worker:b' }),
  'report success': succeed(1, { actor: 'worker:b' }),
  'report a transient failure': fail(1, 'TRANSIENT', { actor: 'worker:b' }),
  'report a permanent failure': fail(1, 'PERMANENT', { actor: 'worker:b' }),
  'report a broken business rule': fail(1, 'BUSINESS_RULE', { actor: 'worker:b' }),
  'report that no handler is there': fail(1, 'NO_HANDLER', { actor: 'worker:b' }),
  'report a payload that does not fit': fail(1, 'INVALID_PAYLOAD', { actor: 'worker:b' }),
  cancel: cancel(),
  reschedule: reschedule(),
  expire: expire(),
  'retry as an operator': operatorRetry(),
  'cancel as an operator': operatorCancel(),
  'complete as an operator': operatorComplete(),
  'snooze as an operator': operatorSnooze(),
  'note as an operator': operatorNote(),
  'assign as an operator': operatorAssign(),
  'tag as an operator': operatorTag(),
  'end the attempt as an operator': operatorEndAttempt(),
}

const rows = ['NONE', ...commandStatuses] as const

/** Per intent, in the order of `rows`: the events it causes, or the refusal. */
const answers: Readonly<Record<keyof typeof intents, readonly string[]>> = {
  send: row('CommandSent', 'AlreadySent', 'AlreadySent', 'AlreadySent', 'AlreadySent', 'AlreadySent', 'AlreadySent'),
  'receive the first delivery': row(
    'NotFound',
    'CommandReceived',
    'StaleAttempt',
    'NothingToDo',
    'NothingToDo',
    'NothingToDo',
    'NothingToDo',
  ),
  'receive a second delivery': row(
    'NotFound',
    'CommandReceived CommandReceived',
    'CommandReceived',
    'NothingToDo',
    'NothingToDo',
    'NothingToDo',
    'NothingToDo',
  ),
  'report success': reported('CommandCompleted'),
  'report a transient failure': reported('CommandFailed', 'nothing'),
  'report a permanent failure': reported('CommandMovedToTroubleshooting', 'nothing'),
  'report a broken business rule': reported('CommandRejectedByBusinessRule', 'nothing'),
  'report that no handler is there': reported('CommandMovedToTroubleshooting', 'nothing'),
  'report a payload that does not fit': reported('CommandMovedToTroubleshooting', 'nothing'),
  cancel: row('NotFound', 'CommandCanceled', 'NotPending', 'NotPending', 'NotPending', 'NotPending', 'NotPending'),
  reschedule: row('NotFound', 'CommandRescheduled', 'Begun', 'Begun', 'Begun', 'Begun', 'Begun'),
  expire: row('NotFound', 'nothing', 'nothing', 'nothing', 'nothing', 'nothing', 'nothing'),
  'retry as an operator': operated('OperatorRetried'),
  'cancel as an operator': operated('OperatorCanceled'),
  'snooze as an operator': operated('OperatorSnoozed'),
  'note as an operator': operated('OperatorNoted'),
  'assign as an operator': operated('OperatorAssigned'),
  'tag as an operator': operated('OperatorTagged'),
  'complete as an operator': operated('OperatorCompleted'),
  'end the attempt as an operator': row(
    'NotFound',
    'NotInProgress',
    'OperatorEndedAttempt',
    'NotInProgress',
    'NotInProgress',
    'NotInProgress',
    'NotInProgress',
  ),
}

function row(...cells: readonly string[]): readonly string[] {
  return cells
}

function reported(event: string, parked = 'StaleAttempt'): readonly string[] {
  return row('NotFound', 'StaleAttempt', event, 'StaleAttempt', 'StaleAttempt', 'StaleAttempt', parked)
}

function operated(event: string): readonly string[] {
  const no = 'NotInTroubleshooting'
  return row('NotFound', no, no, no, no, no, event)
}

const answerOf = (intent: CommandIntent, status: CommandStatus | 'NONE'): string => {
  const decision = command.decide(intent, fold(command, historyOf[status]))
  return isLeft(decision) ? decision.left.type : decision.right.map(event => event.type).join(' ') || 'nothing'
}

describe.each(rows.map((status, column) => ({ status, column })))('in $status', ({ status, column }) => {
  test.each(Object.entries(intents))('%s', (name, intent) => {
    expect(answerOf(intent, status)).toBe(answers[name]?.[column])
  })

  test.each(Object.entries(intents))('%s, and again: no second event', (_, intent) => {
    const before = fold(command, historyOf[status])
    const first = command.decide(intent, before)
    const after = isRight(first) ? fold(command, first.right, before) : before
    const second = command.decide(intent, after)
    expect(isRight(second) ? second.right : []).toEqual([])
  })
})

test.each(rows)('the shortest history to %s is legal and ends there', status => {
  let state = command.initial
  for (const event of historyOf[status]) {
    expect(isLegal(event.type, state.status)).toBe(true)
    state = command.evolve(state, event)
    expect(state.status).toBe(transitions[event.type].to)
  }
  expect(state.status).toBe(status)
})
