import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { InvalidInputError } from '../../src/application/shared/errors.ts'
import { actionOf as actionAt, actionListOf, itemListOf } from '../../src/application/troubleshooting/action-input.ts'
import type { BulkActionOptions } from '../../src/application/troubleshooting/operator-options.ts'

const actionOf = (options: BulkActionOptions) => actionAt(options, '2026-01-01T00:00:00.000Z')
const jane = 'jane@example.com'
const id = randomUUID()
const retry: BulkActionOptions = { action: 'retry', filter: {}, operator: jane }

describe("an action's options", () => {
  test('get defaults where something was left out', () => {
    expect(actionOf(retry)).toEqual({
      details: { action: 'retry', resetAttempts: true },
      target: { filter: {} },
      canary: null,
      campaign: {},
      undoSeconds: 0,
      operator: jane,
      tenantId: null,
    })
    expect(actionOf({ action: 'complete', filter: {}, operator: jane }).details).toEqual({
      action: 'complete',
      resultData: null,
    })
  })

  test('keep the conditions that were given, with times as instants in UTC', () => {
    const filter = { domain: 'payments', commandType: 'Charge', errorCode: 'X', from: '2026-01-01', to: '2026-01-02' }
    expect(actionOf({ ...retry, filter }).target).toEqual({
      filter: { ...filter, from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' },
    })
  })

  test('name each command once, in the order given', () => {
    const [a, b] = [randomUUID(), randomUUID()]
    const ids = [
      { domain: 'x', commandId: a.toUpperCase() },
      { domain: 'x', commandId: b },
      { domain: 'y', commandId: a },
      { domain: 'x', commandId: a },
    ]
    expect(actionOf({ action: 'retry', ids, operator: jane }).target).toEqual({
      ids: [
        { domain: 'x', commandId: a },
        { domain: 'x', commandId: b },
        { domain: 'y', commandId: a },
      ],
    })
  })

  const ids = [{ domain: 'payments', commandId: id }]
  const refusals: readonly (readonly [string, object, string])[] = [
    ['neither filter nor ids', { filter: undefined }, 'filter, ids'],
    ['both filter and ids', { ids }, 'filter, ids'],
    ['an unknown action', { action: 'delete' }, 'action'],
    ['no operator', { operator: undefined }, 'operator'],
    ['a blank operator', { operator: ' ' }, 'operator'],
    ['a condition nobody knows', { filter: { erorCode: 'X' } }, 'filter.erorCode'],
    ['a filter that is a list', { filter: [] }, 'filter'],
    ['a domain that is none', { filter: { domain: 'No Domain' } }, 'domain'],
    ['an invalid time', { filter: { from: 'yesterday' } }, 'filter.from'],
    ['times in the wrong order', { filter: { from: '2026-01-02', to: '2026-01-01' } }, 'filter.from, filter.to'],
    ['no ids in the list', { filter: undefined, ids: [] }, 'ids'],
    ['too many ids', { filter: undefined, ids: Array.from({ length: 10_001 }, () => ids[0]) }, 'ids'],
    ['an id that is none', { filter: undefined, ids: [...ids, { domain: 'x', commandId: '7' }] }, 'ids[1].commandId'],
    ['an id without its domain', { filter: undefined, ids: [{ commandId: id }] }, 'ids[0].domain'],
    ['ids as plain texts', { filter: undefined, ids: [id] }, 'ids[0].command'],
    ['a canary of none', { canary: 0 }, 'canary'],
    ['half a canary', { canary: 1.5 }, 'canary'],
    ['a canary for a cancel', { action: 'cancel', reason: 'x', canary: 1 }, 'canary'],
    ['a cancel without a reason', { action: 'cancel' }, 'reason'],
    ['a cancel with a blank reason', { action: 'cancel', reason: ' ' }, 'reason'],
    ['a blank reason for a retry', { reason: ' ' }, 'reason'],
    ['a result for a retry', { resultData: null }, 'resultData'],
    ['attempts for a completion', { action: 'complete', resetAttempts: true }, 'resetAttempts'],
    ['attempts that are neither kept nor reset', { resetAttempts: 'no' }, 'resetAttempts'],
    ['a tenant that is blank', { tenantId: ' ' }, 'tenantId'],
  ]
  test.each(refusals)('with %s is refused', (_, over, field) => {
    let thrown: unknown
    try {
      actionOf({ ...retry, ...over } as BulkActionOptions)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(InvalidInputError)
    expect(thrown).toMatchObject({ field })
  })
})

describe('a list', () => {
  test('accepts the options that it knows', () => {
    expect(actionListOf({})).toEqual({})
    expect(actionListOf({ status: 'RUNNING', tenantId: 't', limit: 5, cursor: 'c' })).toEqual({
      status: 'RUNNING',
      tenantId: 't',
      limit: 5,
      cursor: 'c',
    })
    expect(itemListOf({ outcome: 'FAILED', limit: 500 })).toEqual({ outcome: 'FAILED', limit: 500 })
  })

  test('refuses options that it does not know', () => {
    expect(() => actionListOf({ status: 'DONE' as never })).toThrow(/status: must be one of .*, not DONE/)
    expect(() => itemListOf({ outcome: 'DONE' as never })).toThrow(/outcome/)
    expect(() => itemListOf({ limit: 501 })).toThrow(/limit/)
  })
})
