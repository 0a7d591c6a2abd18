import type { ClientBase } from 'pg'
import { expect, inject, test } from 'vitest'
import { defineHandler } from '../../../src/index.ts'
import { createTestBus } from '../../support/bus.ts'
import { isParked } from '../../support/park.ts'

// needs one transaction for the handler and its command
const logIsSeparate = inject('logStore') === 'eventstoredb'

const attempts: readonly (readonly [string, (client: ClientBase) => unknown])[] = [
  ['COMMIT', client => client.query('insert into effects values (1); commit')],
  ['ROLLBACK', client => client.query('rollback')],
  ['BEGIN', client => client.query('begin')],
  ['release()', client => (client as unknown as { release: () => void }).release()],
  ['end()', client => (client as unknown as { end: () => void }).end()],
]

test.skipIf(logIsSeparate).each(attempts)(
  'G9: a handler that tries %s does not end the transaction, also when it goes on: its command is parked, and its writes are rolled back',
  async (what, attempt) => {
    const { bus, pool, work, until } = await createTestBus()
    await pool.query('create table effects (id int)')
    await work({
      domain: 'payments',
      handlers: {
        Charge: defineHandler({
          transactional: true,
          handle: async (_, { client }) => {
            await client.query('insert into effects values (0)')
            try {
              await attempt(client)
            } catch {}
            await client.query('insert into effects values (2)')
            return 'done'
          },
        }),
      },
    })
    const { commandId } = await bus.send('payments', 'Charge', {})
    expect(await until(() => bus.getCommand('payments', commandId), isParked)).toMatchObject({
      lastErrorType: 'PERMANENT',
      lastErrorCode: 'TRANSACTION_ENDED',
      lastErrorMsg: expect.stringContaining(what),
    })
    expect((await pool.query('select * from effects')).rows).toEqual([])
  },
)

test.skipIf(logIsSeparate)(
  'G9: session settings that a handler leaves behind do not reach the next user of the pool',
  async () => {
    const { bus, work, until } = await createTestBus({ maxConnections: 3 })
    const seen: unknown[] = []
    const look = `select current_setting('search_path') as path, current_setting('my.note', true) as note, pg_backend_pid() as pid,
    (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks`
    await work({
      domain: 'payments',
      concurrency: 1,
      handlers: {
        Leave: defineHandler({
          transactional: true,
          handle: async (_, { client }) => {
            await client.query("set search_path = nowhere, public; select set_config('my.note', 'left', false)")
            await client.query('select pg_advisory_lock(7)')
            await client.query('create temp table command_bus_command (id int)')
          },
        }),
        Look: defineHandler({
          transactional: true,
          handle: async (_, { client }) => {
            seen.push((await client.query(look)).rows[0])
          },
        }),
      },
    })
    const isDone = (found: { readonly status: string } | null) => found?.status === 'COMPLETED'
    for (const type of ['Look', 'Leave', 'Look', 'Leave', 'Look']) {
      const { commandId } = await bus.send('payments', type, {})
      await until(() => bus.getCommand('payments', commandId), isDone)
    }
    const [before, ...after] = seen as { path: string }[]
    for (const one of after) expect(one).toMatchObject({ path: before?.path, note: null, locks: 0 })
    expect(after).toHaveLength(2)
  },
)

test.skipIf(logIsSeparate)('G9: a client that a handler kept cannot be used after the handler has ended', async () => {
  const { bus, pool, work, until } = await createTestBus({ maxConnections: 3 })
  await pool.query('create table effects (id int)')
  const late: Promise<unknown>[] = []
  let kept: ClientBase | undefined
  const listeners: number[] = []
  await work({
    domain: 'payments',
    concurrency: 1,
    handlers: {
      Keep: defineHandler({
        transactional: true,
        handle: (_, { client }) => {
          kept = client
          client.on('notice', () => {})
          // not waited for, and still before its end
          void client.query('insert into effects values (1)')
          late.push(client.query('select 1').then(() => client.query('insert into effects values (2)')))
          late[0]?.catch(() => {})
          return 'done'
        },
      }),
      Next: defineHandler({
        transactional: true,
        handle: async (_, { client }) => {
          listeners.push(client.listenerCount('notice'))
          await client.query('select 1')
          late.push((kept as ClientBase).query('insert into effects values (3)'))
          late[1]?.catch(() => {})
          return 'done'
        },
      }),
    },
  })
  for (const type of ['Keep', 'Next']) {
    const { commandId } = await bus.send('payments', type, {})
    await until(
      () => bus.getCommand('payments', commandId),
      command => command?.status === 'COMPLETED',
    )
  }
  for (const one of late) await expect(one).rejects.toThrow(/handler has ended/)
  expect((await pool.query('select * from effects')).rows).toEqual([{ id: 1 }])
  expect(listeners).toEqual([0])
})
