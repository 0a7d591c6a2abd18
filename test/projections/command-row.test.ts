import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CommandEvent } from '../../src/domain/command/events.ts'
import { command } from '../../src/domain/command/index.ts'
import { commandQueue } from '../../src/domain/command/names.ts'
import type { SentCommandState } from '../../src/domain/command/state.ts'
import { fold } from '../../src/domain/decider.ts'
import { type CommandRow, commandRowChange, mergeChanges, type RowChange } from '../../src/projections/command-row.ts'
import { commandEvent, life } from '../support/lives/command-arbitraries.ts'
import {
  at,
  failed,
  historyOf,
  key,
  operatorRetried,
  parked,
  received,
  recorded,
  sent,
} from '../support/lives/command-life.ts'

/** What the commit does: an insert when there is no row, an update when the row is between `after` and `revision`. */
const apply = (row: CommandRow | null, change: RowChange): CommandRow | null => {
  if (change.kind === 'insert') return row ?? change.row
  const { after, ...columns } = change.move
  return row !== null && row.revision >= after && row.revision < columns.revision ? { ...row, ...columns } : row
}

const changesOf = (events: readonly CommandEvent[]): readonly RowChange[] =>
  recorded(events).map(of => commandRowChange(of) as RowChange)

const rowOf = (events: readonly CommandEvent[]): CommandRow | null =>
  changesOf(events).reduce<CommandRow | null>(apply, null)

/** The row as the folded state gives it, column by column. */
const rowOfState = (state: SentCommandState, last: CommandEvent): CommandRow => ({
  domain: key.domain,
  command_id: key.commandId,
  command_type: state.sent.commandType,
  status: state.status,
  attempts: state.attempts,
  max_attempts: state.sent.policy.maxAttempts,
  total_attempts: state.totalAttempts,
  queue_name: commandQueue(key.domain, state.sent.priority),
  reply_queue: state.sent.replyTo,
  correlation_id: state.sent.correlationId,
  causation_id: state.sent.causationId,
  tenant_id: state.sent.tenantId,
  owner_id: state.sent.ownerId,
  parent_command_id: state.sent.parentCommandId,
  retry_count: state.sent.retryCount,
  run_at: state.runAt,
  priority: state.sent.priority ?? 'normal',
  expires_at: state.sent.expiresAt ?? null,
  lane: state.sent.lane ?? null,
  lease_expires_at: state.status === 'IN_PROGRESS' ? state.leaseExpiresAt : null,
  next_attempt_at: state.status === 'PENDING' ? state.retryAt : null,
  parked_at: state.status === 'IN_TROUBLESHOOTING_QUEUE' ? state.parking.parkedAt : null,
  parked_reason: state.status === 'IN_TROUBLESHOOTING_QUEUE' ? state.parking.parkedReason : null,
  snoozed_until: state.status === 'IN_TROUBLESHOOTING_QUEUE' ? state.parking.snoozedUntil : null,
  assignee: state.care.assignee,
  tags: state.care.tags,
  notes: state.care.notes,
  last_error_type: state.lastError?.type ?? null,
  last_error_code: state.lastError?.code ?? null,
  last_error_msg: state.lastError?.message ?? null,
  last_error_frame: state.lastError === null ? null : (state.lastError.frame ?? ''),
  data_revision: state.dataRevision,
  created_at: state.sent.at,
  updated_at: last.at,
  revision: state.revision,
})

/** Cuts a list into pieces of the given sizes; the last piece has the rest. */
const cut = <A>(items: readonly A[], sizes: readonly number[]): readonly (readonly A[])[] => {
  const pieces: A[][] = []
  let from = 0
  for (const size of sizes) {
    if (from >= items.length) break
    pieces.push(items.slice(from, from + size))
    from += size
  }
  return from < items.length ? [...pieces, items.slice(from)] : pieces
}

const merged = (changes: readonly RowChange[]): RowChange => changes.reduce(mergeChanges)
const laterEvent = commandEvent.filter(event => event.type !== 'CommandSent')
const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 20 })

describe('the row of a command', () => {
  test('R7: has as many attempts as before after an attempt that does not count', () => {
    const history = [sent(), received(1), failed(1), received(2), failed(2, { uncounted: true })]
    expect(rowOf(history)).toMatchObject({ status: 'PENDING', attempts: 1, total_attempts: 2 })
    expect(rowOf(history)).toEqual(rowOfState(fold(command, history) as SentCommandState, history[4] as CommandEvent))
  })

  test('equals the folded state in every column, after every event of random histories', () => {
    fc.assert(
      fc.property(life, ({ events }) => {
        for (let count = 1; count <= events.length; count++) {
          const so = events.slice(0, count)
          const state = fold(command, so) as SentCommandState
          const row = rowOf(so)
          // where an event has set it back, '' stands for nobody
          expect({ ...row, assignee: row?.assignee || null }).toEqual(rowOfState(state, so.at(-1) as CommandEvent))
        }
      }),
      { numRuns: 200 },
    )
  })

  test('is the same however the events are batched', () => {
    fc.assert(
      fc.property(life, sizes, ({ events }, pieces) => {
        const batches = cut(changesOf(events), pieces).map(merged)
        expect(batches.reduce<CommandRow | null>(apply, null)).toEqual(rowOf(events))
      }),
      { numRuns: 200 },
    )
  })

  test('is the same when batches come twice, and when older ones come again', () => {
    fc.assert(
      fc.property(life, sizes, fc.nat(), ({ events }, pieces, chosen) => {
        const batches = cut(changesOf(events), pieces).map(merged)
        const repeated = batches.flatMap((batch, i) => [batch, batches[chosen % (i + 1)] as RowChange, batch])
        expect(repeated.reduce<CommandRow | null>(apply, null)).toEqual(rowOf(events))
      }),
      { numRuns: 200 },
    )
  })

  test('does not change when the next event is missing', () => {
    const changes = changesOf([sent(), received(1), failed(1), received(2)])
    const row = [changes[0], changes[2], changes[3]].reduce<CommandRow | null>((r, c) => apply(r, c as RowChange), null)
    expect(row).toEqual(rowOf([sent()]))
  })
})

describe('merging changes', () => {
  test('is associative', () => {
    fc.assert(
      fc.property(fc.array(laterEvent, { minLength: 3, maxLength: 3 }), fc.boolean(), (events, fromTheStart) => {
        const [a, b, c] = changesOf(fromTheStart ? [sent(), ...events] : events) as [RowChange, RowChange, RowChange]
        expect(mergeChanges(mergeChanges(a, b), c)).toEqual(mergeChanges(a, mergeChanges(b, c)))
      }),
      { numRuns: 200 },
    )
  })

  test('keeps what a later event does not mention, and clears what it ends', () => {
    const moves = changesOf([sent(), received(1), failed(1), received(2)]).slice(1)
    expect(merged(moves)).toEqual({
      kind: 'move',
      move: {
        domain: key.domain,
        command_id: key.commandId,
        after: 0,
        revision: 3,
        status: 'IN_PROGRESS',
        attempts: 2,
        total_attempts: 2,
        lease_expires_at: at(31),
        next_attempt_at: null,
        parked_at: null,
        parked_reason: null,
        snoozed_until: null,
        last_error_type: 'TRANSIENT',
        last_error_code: 'CODE_TRANSIENT',
        last_error_msg: 'it was TRANSIENT',
        last_error_frame: '',
        updated_at: at(1),
      },
    })
  })
})

test('A2: a retry shows the new round in the row, and the total of the whole life', () => {
  const life = [sent(), received(1), failed(1), received(2), parked(2), operatorRetried()]
  expect(rowOf(life)).toMatchObject({
    status: 'PENDING',
    attempts: 0,
    total_attempts: 2,
    parked_at: null,
    parked_reason: null,
    last_error_code: 'CODE_PERMANENT',
  })
})

test('A19: a command that waits for its next attempt is PENDING, with the time of the attempt', () => {
  expect(rowOf([sent(), received(1), failed(1)])).toMatchObject({
    status: 'PENDING',
    next_attempt_at: at(12),
    lease_expires_at: null,
  })
})

test('other streams have no row', () => {
  for (const history of Object.values(historyOf)) {
    for (const of of recorded(history)) {
      expect(commandRowChange({ ...of, stream: `run-${key.commandId}` })).toBeNull()
    }
  }
})
