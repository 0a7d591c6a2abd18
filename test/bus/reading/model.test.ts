import fc from 'fast-check'
import { expect, test } from 'vitest'
import { verifyCommands } from '../../../src/infrastructure/postgres/read-tables/verify.ts'
import { createTestBus, logIsSeparate, type TestBus, until } from '../../support/bus.ts'
import type { Model, Modelled } from '../../support/lives/command-model.ts'
import { actions, parked, type Real } from '../../support/lives/command-model-actions.ts'

/** Checks what must hold at the end of every run. */
const expectConsistent = async ({ commands }: Model, domain: string, test: TestBus): Promise<void> => {
  const { pool, messages, archived } = test
  expect(await verifyCommands({ pool })).toEqual([])
  const { rows } = await pool.query('select command_id, msg_id from command_bus_command where domain = $1', [domain])
  const present = new Map<string, string>(rows.map(row => [row.command_id, row.msg_id]))
  expect(new Set(present.keys())).toEqual(new Set(commands.keys()))

  const those = (is: (command: Modelled) => boolean) =>
    [...commands].filter(([, command]) => is(command)).map(([id]) => [id, present.get(id)])
  const listed = async (queue: Promise<readonly { msg_id: string; message: Record<string, unknown> }[]>) =>
    (await queue).map(({ msg_id, message }) => [message.command_id, msg_id])
  expect((await listed(messages(`${domain}__commands`))).sort()).toEqual(
    those(({ status }) => status === 'PENDING').sort(),
  )
  expect(await listed(archived(`${domain}__commands`))).toEqual(
    expect.arrayContaining(those(({ status }) => status === parked)),
  )

  const replies = (await messages(`${domain}__replies`)).map(({ message }) => message.command_id)
  expect(replies.sort()).toEqual([...commands].flatMap(([id, command]) => Array(command.replies).fill(id)).sort())
  expect(new Set(replies).size).toBe(replies.length)
}

test('the bus behaves like a simple model, and its rows, queues and replies agree', async () => {
  const testBus = await createTestBus()
  const { bus, pool } = testBus
  let run = 0
  const reached = new Set<string>()
  const property = fc.asyncProperty(fc.commands(actions, { maxCommands: 40, size: 'max' }), async commands => {
    const model: Model = { commands: new Map() }
    const domain = `run${++run}`
    const workOff: Real['workOff'] = async act => {
      const worker = bus.worker({ domain, handlers: { Act: act }, pollMs: 20, concurrency: 3 })
      await worker.start()
      const open = `select 1 from command_bus_command where domain = $1 and status in ('PENDING', 'IN_PROGRESS')`
      await until(
        () => pool.query(open, [domain]),
        ({ rowCount }) => rowCount === 0,
      )
      await worker.stop()
    }
    await fc.asyncModelRun(() => ({ model, real: { bus, pool, domain, workOff } }), commands)
    await expectConsistent(model, domain, testBus)
    for (const { status } of model.commands.values()) reached.add(status)
  })
  // as many runs as there is time for, but at least until every way to end was tried; many more are done in memory
  const enough = performance.now() + (logIsSeparate ? 5_000 : 8_000)
  while (run < 150 && (reached.size < 5 || performance.now() < enough)) await fc.assert(property, { numRuns: 5 })
  expect(reached.size).toBe(5)
})
