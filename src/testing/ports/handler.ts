import { AssertionError } from 'node:assert'
import type { Handler } from '../../infrastructure/worker/attempt/handler.ts'
import { type Incident, incidents } from '../running/incidents.ts'
import { testBus } from '../test-bus.ts'

/** A handler under test, with fresh surroundings. */
export interface HandlerUnderTest {
  readonly handler: Handler
  /** A payload that it succeeds with. */
  readonly data: unknown
  /** What it has done to the world so far, such as the charges of a fake of the card provider: the same effects twice are a fault. */
  readonly effects: () => Promise<readonly unknown[]> | readonly unknown[]
}

/** One test: pass `name` and `run` to your test runner. */
export interface Case {
  readonly name: string
  /** Shows the case; rejects where it does not hold. */
  readonly run: () => Promise<void>
}

const sentences: Readonly<Record<Incident, string>> = {
  crashBeforeReport: 'its worker dies after the handler has ended',
  crashAfterReport: 'its worker dies after its report',
  duplicateDelivery: 'its message is delivered twice',
  leaseLost: 'its lease ends and another worker runs it, too',
  storeAway: 'the store is away when it reports',
}

/**
 * The tests that a handler passes whose effects are idempotent: whatever happens to an attempt, its command completes and its effects
 * are those of one quiet run. `make` is called for each test. The handler is not transactional.
 * @example
 * for (const { name, run } of handlerSuite(() => ({ handler: chargeCard(provider), data: { amount: 5 }, effects: provider.charges })))
 *   test(name, run)
 */
export const handlerSuite = (make: () => HandlerUnderTest): readonly Case[] => [
  {
    name: 'completes, and has the same effects again for another command',
    run: async () => {
      const subject = make()
      const once = await effectsAfter(subject, [])
      const both = await effectsAfter(subject, [])
      if (both <= once)
        throw fault('a second command has no effects: does the handler forget its command id?', both, once + 1)
    },
  },
  ...incidents.map(
    (incident): Case => ({
      name: `has its effects once when ${sentences[incident]}`,
      run: async () => {
        const quiet = await effectsAfter(make(), [])
        const found = await effectsAfter(make(), [incident])
        if (found !== quiet)
          throw fault(`after '${incident}' the handler has ${found} effects instead of ${quiet}`, found, quiet)
      },
    }),
  ),
]

/** How many effects there are after one more command, to whose attempts these incidents happen. */
const effectsAfter = async (
  { handler, data, effects }: HandlerUnderTest,
  life: readonly Incident[],
): Promise<number> => {
  const bus = testBus({ handlers: { subject: { Subject: handler } } })
  const { commandId } = await bus.send('subject', 'Subject', data)
  bus.inject.life(life)
  await bus.runUntilSettled()
  bus.expect(commandId).toBeCompleted()
  return (await effects()).length
}

const fault = (message: string, actual: number, expected: number): AssertionError =>
  new AssertionError({ message, actual, expected, operator: 'handlerSuite' })
