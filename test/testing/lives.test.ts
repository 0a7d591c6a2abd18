import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commandIdFor, type HandlerContext, TransientCommandError } from '../../src/index.ts'
import { life, payload, retryOptions } from '../../src/testing/arbitraries/index.ts'
import { testBus } from '../../src/testing/index.ts'
import { handlerSuite } from '../../src/testing/ports/index.ts'

/** A provider of cards that charges once for a key. */
const provider = () => {
  const charges = new Map<string, number>()
  return {
    charges: () => [...charges],
    charge: (key: string, amount: number) => void (charges.has(key) || charges.set(key, amount)),
  }
}

test('K1: whatever happens to its attempts, a command ends once, and an idempotent handler has its effect once', async () => {
  const seen = new Set<string>()
  const property = fc.asyncProperty(life(), fc.integer({ min: 0, max: 3 }), async (incidents, failures) => {
    const cards = provider()
    let calls = 0
    const bus = testBus({
      handlers: {
        payments: {
          Charge: (_, { command }: HandlerContext) => {
            cards.charge(command.commandId, 5)
            if (calls++ < failures) throw new TransientCommandError('DOWN', 'not now')
            return 'charged'
          },
        },
      },
    })
    const { commandId } = await bus.send('payments', 'Charge', {}, { maxAttempts: 100, replyTo: 'shop__replies' })
    bus.inject.life(incidents)
    await bus.runUntilSettled()
    bus.expect(commandId).toBeCompleted('charged').toHaveReplied({ data: 'charged' })
    expect(cards.charges()).toHaveLength(1)
    const { totalAttempts } = (await bus.getCommand('payments', commandId)) ?? { totalAttempts: 0 }
    expect(totalAttempts).toBeLessThanOrEqual(1 + failures + incidents.length)
    expect(bus.messagesOn('payments__commands')).toEqual([])
    for (const incident of incidents) seen.add(String(incident))
  })
  await fc.assert(property, { numRuns: 100 })
  expect(seen.size).toBe(6)
})

test('K1: a command with any payload and any policy ends or is parked, and its history is whole', async () => {
  const property = fc.asyncProperty(payload(), retryOptions(), life(), async (data, policy, incidents) => {
    const bus = testBus({ handlers: { payments: { Echo: (given: unknown) => given } }, random: () => 0.5 })
    const { commandId } = await bus.send('payments', 'Echo', data, { ...policy, replyTo: 'shop__replies' })
    bus.inject.life(incidents)
    await bus.runUntilSettled()
    const command = await bus.getCommand('payments', commandId)
    expect(['COMPLETED', 'FAILED', 'IN_TROUBLESHOOTING_QUEUE']).toContain(command?.status)
    expect(command?.data).toEqual(data)
    if (command?.status === 'COMPLETED') expect(command.result).toEqual(data)
    expect(bus.repliesOn('shop__replies')).toHaveLength(command?.status === 'IN_TROUBLESHOOTING_QUEUE' ? 0 : 1)
    const { states } = await bus.getHistory('payments', commandId).then(({ items }) => ({ states: items }))
    expect(states).toHaveLength(bus.eventsOf('payments', commandId).length)
  })
  await fc.assert(property, { numRuns: 100 })
})

test('K1: a handler that forgets its command id fails, and the counterexample is the one incident that matters', async () => {
  const property = fc.asyncProperty(life(), async incidents => {
    let charges = 0
    const bus = testBus({ handlers: { payments: { Charge: () => ++charges } } })
    await bus.send('payments', 'Charge', {}, { maxAttempts: 100 })
    bus.inject.life(incidents)
    await bus.runUntilSettled()
    return charges === 1
  })
  const { failed, counterexample } = await fc.check(property, { numRuns: 100 })
  expect(failed).toBe(true)
  expect([[['crashBeforeReport']], [['leaseLost']]]).toContainEqual(counterexample)
})

for (const { name, run } of handlerSuite(() => {
  const cards = provider()
  return {
    handler: (_, { command }: HandlerContext) => cards.charge(command.commandId, 5),
    data: { amount: 5 },
    effects: cards.charges,
  }
}))
  test(`K1: the suite for handlers: ${name}`, run)

test('K1: the suite for handlers finds one that is not idempotent, and one that forgets its command id', async () => {
  const failing = async (handler: (effects: string[]) => (_: unknown, context: HandlerContext) => void) => {
    const cases = handlerSuite(() => {
      const effects: string[] = []
      return { handler: handler(effects), data: {}, effects: () => effects }
    })
    const results = await Promise.allSettled(cases.map(({ run }) => run()))
    return cases.filter((_, i) => results[i]?.status === 'rejected').map(({ name }) => name)
  }
  expect(await failing(effects => () => void effects.push('charged'))).toEqual([
    'has its effects once when its worker dies after the handler has ended',
    'has its effects once when its lease ends and another worker runs it, too',
  ])
  const always = commandIdFor(null, 'payments', 'the same')
  expect(await failing(effects => () => void (effects.includes(always) || effects.push(always)))).toEqual([
    'completes, and has the same effects again for another command',
  ])
})
