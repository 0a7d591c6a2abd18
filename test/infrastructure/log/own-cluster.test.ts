import { expect, test } from 'vitest'
import { createCommandBus, UnavailableError } from '../../../src/index.ts'
import { createTestBus } from '../../support/bus.ts'

test('a log restored from a dump of another server is refused before anything is written, and says what to do', async () => {
  const { bus, pool, database } = await createTestBus()
  await bus.send('shop', 'Charge', {})
  await pool.query('alter table command_bus_event disable trigger user')
  // the transaction ids in a dump of a server that is ahead of this one
  await pool.query(`update command_bus_event set xid = ((xid::text::bigint + 1000000000)::text)::xid8`)
  const restored = createCommandBus({ databaseUrl: database.url })
  const refused = expect.objectContaining({ message: expect.stringMatching(/another server.*commandbus adopt-log/) })
  await expect(restored.ready()).rejects.toEqual(refused)
  await expect(restored.send('shop', 'Charge', {})).rejects.toBeInstanceOf(UnavailableError)
  await expect(restored.as({ subject: 'ann', tenant: null, roles: ['ADMIN'] }).queryCommands({})).rejects.toEqual(
    refused,
  )
  await restored.close()
  expect((await pool.query('select count(*)::int as n from command_bus_event')).rows).toEqual([{ n: 1 }])
})
