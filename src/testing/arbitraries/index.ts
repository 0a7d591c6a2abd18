import fc from 'fast-check'
import type { RetryOptions } from '../../application/commands/send-command.ts'
import type { Json } from '../../domain/json/json.ts'
import { numberFault } from '../../domain/json/json-numbers.ts'
import { type Incident, incidents } from '../running/incidents.ts'

/** Limits of the lives that are made. */
export interface LifeOptions {
  /** The most incidents in one life. Default 6. */
  readonly most?: number
  /** Which may happen. Default: all of them. */
  readonly of?: readonly Incident[]
}

/**
 * What happens to the attempts of a command, one after the other; null: nothing. For `inject.life` of a test bus. A counterexample
 * shrinks to the incidents that matter.
 * @example
 * await fc.assert(fc.asyncProperty(life(), async incidents => {
 *   const bus = testBus({ handlers })
 *   const { commandId } = await bus.send('payments', 'ChargeCard', { amount: 5 }, { maxAttempts: 100 })
 *   bus.inject.life(incidents)
 *   await bus.runUntilSettled()
 *   bus.expect(commandId).toBeCompleted()
 * }))
 */
export const life = ({ most = 6, of = incidents }: LifeOptions = {}): fc.Arbitrary<readonly (Incident | null)[]> =>
  fc.array(fc.option(fc.constantFrom(...of), { nil: null, freq: 3 }), { maxLength: most })

/** Any payload that a command may have: JSON whose text keeps it, numbers included. */
export const payload = (): fc.Arbitrary<Json> =>
  fc
    .jsonValue()
    .map(value =>
      JSON.parse(JSON.stringify(value), (_, member) =>
        typeof member === 'number' && numberFault(member) !== null ? 1.5 : member,
      ),
    )

/** How a command is retried. */
export const retryOptions = (): fc.Arbitrary<Required<RetryOptions>> =>
  fc.record({
    maxAttempts: fc.integer({ min: 1, max: 5 }),
    backoffSeconds: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 3 }),
    jitter: fc.constantFrom(0, 0.1, 1),
    onExhausted: fc.constantFrom('park', 'fail'),
  })
