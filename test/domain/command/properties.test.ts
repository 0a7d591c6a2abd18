import fc from 'fast-check'
import { isRight } from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import type { CommandCompleted, CommandEvent, CommandReceived } from '../../../src/domain/command/events.ts'
import { command } from '../../../src/domain/command/index.ts'
import { attemptLimit } from '../../../src/domain/command/state.ts'
import { commandStatuses, isLegal, terminalStatuses, transitions } from '../../../src/domain/command/transitions.ts'
import { fold } from '../../../src/domain/decider.ts'
import { outbox } from '../../../src/projections/outbox.ts'
import { commandEvent, type Life, life } from '../../support/lives/command-arbitraries.ts'
import { recorded } from '../../support/lives/command-life.ts'

const isTerminal = (status: string): boolean => terminalStatuses.some(terminal => terminal === status)

const isReceipt = (event: CommandEvent): event is CommandReceived | CommandCompleted =>
  event.type === 'CommandReceived' || (event.type === 'CommandCompleted' && event.receipt !== undefined)

const forEveryLife = (check: (of: Life) => void): void => {
  fc.assert(fc.property(life, check), { numRuns: 300 })
}

test('every event is a legal step, and leads where the table says', () => {
  forEveryLife(({ events }) => {
    let state = command.initial
    for (const event of events) {
      expect(isLegal(event.type, state.status)).toBe(true)
      state = command.evolve(state, event)
      expect(state.status).toBe(transitions[event.type].to)
    }
  })
})

test('nothing happens to a command that has ended', () => {
  forEveryLife(({ steps }) => {
    for (const { before, events, after } of steps) {
      if (isTerminal(before.status)) {
        expect(events).toEqual([])
        expect(after).toBe(before)
      }
    }
  })
})

test('attempts stay within the limit, count up one by one, and the total never goes back', () => {
  forEveryLife(({ events }) => {
    let state = command.initial
    let total = 0
    for (const event of events) {
      const before = state.status === 'NONE' ? 0 : state.attempts
      state = command.evolve(state, event)
      if (state.status === 'NONE') throw new Error('a life begins with CommandSent')
      if (isReceipt(event)) {
        expect(event.attempt).toBe(before + 1)
        total++
      }
      expect(state.totalAttempts).toBe(total)
      expect(state.attempts).toBeGreaterThanOrEqual(state.attemptOffset)
      expect(state.attempts).toBeLessThanOrEqual(attemptLimit(state))
      expect(state.attempts).toBeLessThanOrEqual(state.totalAttempts)
    }
  })
})

test('no attempt is counted for a message of an earlier round', () => {
  forEveryLife(({ steps }) => {
    for (const { events, message } of steps) {
      for (const event of events) if (isReceipt(event)) expect(event.msgId).toBe(String(message))
    }
  })
})

test('F3: a command expires once at most, after its time, and never after an attempt', () => {
  let seen = 0
  forEveryLife(({ events }) => {
    const places = events.flatMap((event, i) => (event.type === 'CommandExpired' ? [i] : []))
    expect(places.length).toBeLessThanOrEqual(1)
    for (const place of places) {
      seen++
      const [sent, expired] = [events[0], events[place]]
      if (sent?.type !== 'CommandSent' || expired?.type !== 'CommandExpired') throw new Error('another life')
      expect(sent.expiresAt).toBe(expired.expiresAt)
      expect(Date.parse(expired.at)).toBeGreaterThanOrEqual(Date.parse(expired.expiresAt))
      expect(events.slice(0, place).some(isReceipt)).toBe(false)
      expect(place).toBe(events.length - 1)
    }
  })
  expect(seen).toBeGreaterThan(0)
})

test('F1: a command is put off before its first attempt only', () => {
  forEveryLife(({ events }) => {
    const last = events.findLastIndex(({ type }) => type === 'CommandRescheduled')
    expect(events.slice(0, Math.max(0, last)).some(isReceipt)).toBe(false)
  })
})

test('a running attempt always has a lease when a decision is over', () => {
  forEveryLife(({ steps }) => {
    for (const { after } of steps) if (after.status === 'IN_PROGRESS') expect(after.leaseExpiresAt).not.toBeNull()
  })
})

/** Events that leave a command parked. */
const leaving = ['OperatorSnoozed', 'OperatorNoted', 'OperatorAssigned', 'OperatorTagged']

test('an operator ends the running attempt; other actions come only right after a parking, or what leaves it parked', () => {
  forEveryLife(({ events }) => {
    for (const [i, event] of events.entries()) {
      const before = events[i - 1]?.type
      if (event.type === 'OperatorEndedAttempt') expect(before).toBe('CommandReceived')
      else if (event.type.startsWith('Operator')) {
        expect(['CommandMovedToTroubleshooting', 'OperatorEndedAttempt', ...leaving]).toContain(before)
      }
    }
  })
})

test('a snooze changes only the instant of a parked command', () => {
  forEveryLife(({ steps }) => {
    for (const { before, events, after } of steps) {
      const [event] = events
      if (event?.type !== 'OperatorSnoozed' || before.status !== 'IN_TROUBLESHOOTING_QUEUE') continue
      const parking = { ...before.parking, snoozedUntil: event.until }
      expect(after).toEqual({ ...before, revision: before.revision + 1, parking })
    }
  })
})

test('O3: notes, assignee and tags change nothing else of a parked command, and no later event changes them', () => {
  forEveryLife(({ steps }) => {
    for (const { before, events, after } of steps) {
      if (before.status === 'NONE' || after.status === 'NONE') continue
      const [event] = events
      if (event === undefined || !leaving.slice(1).includes(event.type)) {
        expect(after.care).toEqual(before.care)
        continue
      }
      expect(events).toHaveLength(1)
      const { care, lastNote, revision } = after
      expect(after).toEqual({ ...before, care, lastNote, revision })
      expect(revision).toBe(before.revision + 1)
    }
  })
})

test('a retry sends the archived message with the present payload', () => {
  forEveryLife(({ events }) => {
    for (const [i, event] of events.entries()) {
      if (event.type !== 'OperatorRetried') continue
      const parking = events.slice(0, i).findLast(({ type }) => !leaving.includes(type))
      expect(parking).toMatchObject({ msgId: event.archivedMsgId })
      const holder = events[event.dataRevision]
      const state = fold(command, events.slice(0, i + 1))
      expect(holder).toMatchObject({ data: state.status === 'NONE' ? undefined : state.data })
    }
  })
})

test('A9: a command has no reply while it is open, and exactly one when it has ended', () => {
  forEveryLife(({ events, steps }) => {
    const ended = isTerminal(steps.at(-1)?.after.status ?? '')
    const asked = events[0]?.type === 'CommandSent' ? events[0].replyTo : null
    const replies = recorded(events, { replyTo: asked })
      .flatMap(outbox({ onSuccess: 'delete' }))
      .filter(effect => effect.kind === 'reply')
    expect(replies).toHaveLength(asked !== null && ended ? 1 : 0)
  })
})

test('the same intent again changes nothing', () => {
  forEveryLife(({ steps }) => {
    for (const { intent, after } of steps) {
      const again = command.decide(intent, after)
      expect(isRight(again) ? again.right : []).toEqual([])
    }
  })
})

test('a decision changes neither its state nor its intent', () => {
  forEveryLife(({ steps }) => {
    for (const { intent, before, events } of steps) {
      const copies = structuredClone({ intent, before })
      const again = command.decide(intent, before)
      expect(isRight(again) ? again.right : []).toEqual(events)
      expect({ intent, before }).toEqual(copies)
    }
  })
})

test('any events in any order can be folded, and each counts once the command exists', () => {
  fc.assert(
    fc.property(fc.array(commandEvent, { maxLength: 30 }), events => {
      const state = fold(command, events)
      expect(['NONE', ...commandStatuses]).toContain(state.status)
      const start = events.findLastIndex(event => event.type === 'CommandSent')
      expect(state.status === 'NONE' ? -1 : state.revision).toBe(start < 0 ? -1 : events.length - 1 - start)
    }),
    { numRuns: 500 },
  )
})

test('the random histories reach every event and every status', () => {
  const events = new Set<string>()
  const statuses = new Set<string>()
  fc.assert(
    fc.property(life, ({ steps }) => {
      for (const step of steps) {
        statuses.add(step.after.status)
        for (const event of step.events) events.add(event.type)
      }
    }),
    // the rarest event is in one life of 70
    { numRuns: 1500 },
  )
  expect([...events].sort()).toEqual(Object.keys(transitions).sort())
  expect([...statuses].sort()).toEqual([...commandStatuses].sort())
})
