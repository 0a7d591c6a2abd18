import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { ActionNotFoundError } from '../../../src/application/troubleshooting/bulk-action.ts'
import { InvalidInputError } from '../../../src/index.ts'
import { parkMany } from '../../support/actions.ts'
import { createTestBus } from '../../support/bus.ts'

const jane = { operator: 'jane@example.com' }

describe('bulk actions of the library', () => {
  test('are carried out by a bus that runs them; its workers are woken, and closing the bus ends the run', async () => {
    const { bus, pool, another } = await createTestBus()
    await parkMany(pool, 20)
    const listener = await pool.connect()
    await listener.query('listen command_bus_doorbell')
    const rung = once(listener, 'notification')
    const other = another()
    const run = other.actions.run()
    const { actionId, total } = await bus.actions.start({ ...jane, action: 'retry', filter: {} })
    expect(total).toBe(20)
    expect(await rung).toMatchObject([{ payload: 'payments__commands' }])
    listener.release(true)
    expect(await bus.actions.get(actionId)).toMatchObject({ status: 'COMPLETED', succeeded: 20 })
    expect((await bus.actions.list()).items.map(view => view.actionId)).toEqual([actionId])
    await other.close()
    await run
  })

  test("refuse invalid options with the bus's own errors", async () => {
    const { bus } = await createTestBus()
    const unknown = '7e0b7c1e-59f4-4bd0-9f3c-00000000dead'
    await expect(bus.actions.start({ ...jane, action: 'cancel', filter: {}, reason: ' ' })).rejects.toThrow(
      InvalidInputError,
    )
    await expect(bus.actions.get('x')).rejects.toThrow(InvalidInputError)
    expect(await bus.actions.get(unknown)).toBeNull()
    await expect(bus.actions.runOne(unknown)).rejects.toThrow(ActionNotFoundError)
    await expect(bus.actions.runOne('x')).rejects.toThrow(InvalidInputError)
  })
})
