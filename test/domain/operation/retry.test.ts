import fc from 'fast-check'
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import type { RetryPolicy } from '../../../src/domain/command/retry-policy.ts'
import { policyFaults, waitAfter } from '../../../src/domain/command/retry-policy.ts'
import { DEFAULT_MAX_RETRIES, operationPolicy } from '../../../src/domain/operation/policy.ts'
import {
  type ChildOperation,
  mayRetry,
  type Retriable,
  type RetryRejection,
  retryOperation,
} from '../../../src/domain/operation/retry.ts'
import { operationStatuses } from '../../../src/domain/operation/status.ts'
import { derivedId } from '../../../src/infrastructure/shared/uuid-ids.ts'
import { json } from '../../support/lives/command-arbitraries.ts'

const failed: Retriable = {
  id: '0192d3a4-0000-7000-8000-000000000001',
  operationType: 'question_generation',
  status: 'failed',
  ownerId: 'ada',
  retryCount: 0,
  data: { session_id: 's', message_id: 'm', parameters: { topic: 'x' } },
}

const child = (over: Partial<ChildOperation> = {}): ChildOperation => ({
  name: `${failed.id}:1`,
  parentId: failed.id,
  operationType: 'question_generation',
  retryCount: 1,
  data: failed.data,
  ...over,
})

const given = (over: Partial<Retriable>) => ({
  when: (principal: string, maxRetries = DEFAULT_MAX_RETRIES) => ({
    // biome-ignore lint/suspicious/noThenProperty: the third word of given, when, then; nobody awaits it
    then: (answer: Either<RetryRejection, ChildOperation>): void => {
      const operation = { ...failed, ...over }
      expect(retryOperation(operation, principal, maxRetries)).toEqual(answer)
      expect(retryOperation(operation, principal, maxRetries)).toEqual(answer)
      expect(mayRetry(operation, principal, maxRetries)).toBe(!isLeft(answer))
    },
  }),
})

describe('a failed operation', () => {
  test('B3: is retried by its owner: a child with its type, its data and a count of one more', () => {
    given({}).when('ada').then(right(child()))
    given({ retryCount: 6 })
      .when('ada')
      .then(right(child({ name: `${failed.id}:7`, retryCount: 7 })))
  })

  test('B4: cannot be retried by others, or by anybody if it has no owner', () => {
    given({})
      .when('bob')
      .then(left({ type: 'NotTheOwner' }))
    given({})
      .when('')
      .then(left({ type: 'NotTheOwner' }))
    given({ ownerId: null })
      .when('ada')
      .then(left({ type: 'NotTheOwner' }))
  })

  test('B5: is retried up to the limit of its chain', () => {
    given({ retryCount: 2 })
      .when('ada', 3)
      .then(right(child({ name: `${failed.id}:3`, retryCount: 3 })))
    given({ retryCount: 3 })
      .when('ada', 3)
      .then(left({ type: 'TooManyRetries', max: 3 }))
    given({})
      .when('ada', 0)
      .then(left({ type: 'TooManyRetries', max: 0 }))
  })
})

describe('an operation that has not failed', () => {
  test.each(operationStatuses.filter(status => status !== 'failed'))('B4: but is %s is not retried', status => {
    given({ status })
      .when('ada')
      .then(left({ type: 'NotFailed', status }))
  })

  test('B4: does not show its status to a stranger', () => {
    given({ status: 'completed' })
      .when('bob')
      .then(left({ type: 'NotTheOwner' }))
  })
})

test('B1: three retries after 1, 2 and 4 seconds, each up to 10 % longer, and then the user decides', () => {
  expect(policyFaults(operationPolicy)).toEqual([])
  expect(operationPolicy).toMatchObject({ maxAttempts: 4, onExhausted: 'fail' } satisfies Partial<RetryPolicy>)
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 3), random, (attempt, chance) => {
      const base = 1000 * 2 ** (attempt - 1)
      const wait = waitAfter(operationPolicy, attempt, chance)
      expect(wait).toBeGreaterThanOrEqual(base)
      expect(wait).toBeLessThanOrEqual(base * 1.1)
    }),
  )
})

const idOf = (made: Either<RetryRejection, ChildOperation>): string | null =>
  isLeft(made) ? null : derivedId(`operation:${made.right.name}`)

describe('the id of a child', () => {
  const operation: fc.Arbitrary<Retriable> = fc.record({
    id: fc.uuid(),
    operationType: fc.string(),
    status: fc.constant('failed'),
    ownerId: fc.constant('ada'),
    retryCount: fc.nat({ max: 100 }),
    data: json,
  })

  test('B5: depends only on its parent and the count, so that a failed operation has at most one child', () => {
    fc.assert(
      fc.property(operation, operation, fc.integer({ min: 101, max: 1000 }), (one, other, max) => {
        const same = { ...other, id: one.id, retryCount: one.retryCount }
        expect(idOf(retryOperation(same, 'ada', max))).toBe(idOf(retryOperation(one, 'ada', 101)))
        expect(idOf(retryOperation(one, 'ada', max))).not.toBeNull()
      }),
    )
  })

  test('B5: belongs to no other operation', () => {
    fc.assert(
      fc.property(fc.uniqueArray(operation, { selector: ({ id }) => id, maxLength: 20 }), operations => {
        const ids = operations.flatMap(one => [one.id, idOf(retryOperation(one, 'ada', 1000))])
        expect(new Set(ids).size).toBe(ids.length)
      }),
    )
  })
})

/** One step of users and workers: somebody retries an operation, and may click again; it may fail or not. */
const step = fc.record({
  which: fc.nat(),
  principal: fc.constantFrom('ada', 'ada', 'ada', 'bob'),
  clicks: fc.integer({ min: 1, max: 3 }),
  fails: fc.boolean(),
})

test('B5: whatever is retried in whatever order, retry_count is the depth and nobody has two children', () => {
  const roots = fc.integer({ min: 1, max: 3 })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60, size: 'max' }),
      roots,
      fc.integer({ min: 0, max: 8 }),
      (steps, n, max) => {
        const all = new Map<string, Retriable & { readonly parentId: string | null }>()
        for (let i = 0; i < n; i++) all.set(`root-${i}`, { ...failed, id: `root-${i}`, parentId: null })
        for (const { which, principal, clicks, fails } of steps) {
          const parent = [...all.values()][which % all.size]
          if (parent === undefined) continue
          for (let click = 0; click < clicks; click++) {
            const made = retryOperation(parent, principal, max)
            const id = idOf(made)
            // sending an id again makes nothing
            if (isLeft(made) || id === null || all.has(id)) continue
            const { parentId, operationType, retryCount, data } = made.right
            all.set(id, {
              id,
              parentId,
              operationType,
              retryCount,
              data,
              ownerId: principal,
              status: fails ? 'failed' : 'completed',
            })
          }
        }
        const parents = [...all.values()].flatMap(({ parentId }) => (parentId === null ? [] : [parentId]))
        expect(new Set(parents).size).toBe(parents.length)
        for (const operation of all.values()) {
          let depth = 0
          for (let up = operation.parentId; up !== null; up = all.get(up)?.parentId ?? null) depth++
          expect(operation).toMatchObject({ retryCount: depth, ownerId: 'ada', data: failed.data })
          expect(depth).toBeLessThanOrEqual(max)
        }
      },
    ),
  )
})
