import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CommandStatus, commandStatuses, terminalStatuses } from '../../../src/domain/command/transitions.ts'
import { type OperationStatus, operationStatus, operationStatuses } from '../../../src/domain/operation/status.ts'

const status = fc.constantFrom(...commandStatuses)
const attempts = fc.nat({ max: 1000 })

describe('the status word of an operation', () => {
  const words: readonly (readonly [CommandStatus, attempts: number, OperationStatus])[] = [
    ['PENDING', 0, 'pending'],
    ['PENDING', 1, 'processing'],
    ['IN_PROGRESS', 1, 'processing'],
    ['COMPLETED', 1, 'completed'],
    ['COMPLETED', 0, 'completed'],
    ['FAILED', 4, 'failed'],
    ['CANCELED', 0, 'failed'],
    ['IN_TROUBLESHOOTING_QUEUE', 4, 'failed'],
  ]

  test.each(words)('of a command that is %s after %i attempts is %s', (command, after, word) => {
    expect(operationStatus(command, after)).toBe(word)
  })

  test('is one of the four for every status of a command and any number of attempts', () => {
    fc.assert(
      fc.property(status, attempts, (command, after) => {
        expect(operationStatuses).toContain(operationStatus(command, after))
      }),
    )
  })

  test('is final exactly when nothing more happens by itself', () => {
    fc.assert(
      fc.property(status, attempts, (command, after) => {
        const waits = command === 'IN_TROUBLESHOOTING_QUEUE'
        expect(['completed', 'failed'].includes(operationStatus(command, after))).toBe(
          waits || terminalStatuses.includes(command),
        )
      }),
    )
  })

  test('never goes back to pending once an attempt has begun', () => {
    fc.assert(
      fc.property(status, fc.integer({ min: 1, max: 1000 }), (command, after) => {
        expect(operationStatus(command, after)).not.toBe('pending')
      }),
    )
  })
})
