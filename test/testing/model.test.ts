import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Handler } from '../../src/index.ts'
import { testBus } from '../../src/testing/index.ts'
import type { Model } from '../support/lives/command-model.ts'
import { actions, type Real } from '../support/lives/command-model-actions.ts'

test('K1: the bus in memory behaves like the simple model that PostgreSQL is checked against', async () => {
  const reached = new Set<string>()
  const property = fc.asyncProperty(fc.commands(actions, { maxCommands: 40, size: 'max' }), async commands => {
    const model: Model = { commands: new Map() }
    const bus = testBus()
    const domain = 'model'
    const workOff: Real['workOff'] = async act => {
      const worker = bus.worker({ domain, handlers: { Act: act as unknown as Handler }, concurrency: 3 })
      await worker.start()
      await bus.runUntilSettled()
      await worker.stop()
    }
    await fc.asyncModelRun(() => ({ model, real: { bus, pool: null, domain, workOff } }), commands)
    const wanted = [...model.commands].flatMap(([id, { replies }]) => Array(replies).fill(id))
    expect(
      bus
        .repliesOn(`${domain}__replies`)
        .map(({ commandId }) => commandId)
        .sort(),
    ).toEqual(wanted.sort())
    const pending = [...model.commands].flatMap(([id, { status }]) => (status === 'PENDING' ? [id] : []))
    const queued = bus.messagesOn(`${domain}__commands`).map(({ body }) => Object(body).command_id)
    expect(queued.sort()).toEqual(pending.sort())
    for (const { status } of model.commands.values()) reached.add(status)
  })
  await fc.assert(property, { numRuns: 60 })
  expect(reached.size).toBe(5)
})
