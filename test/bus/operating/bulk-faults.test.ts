import type pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { Log } from '../../../src/application/ports/log.ts'
import { silentLog } from '../../../src/application/ports/log.ts'
import { createTestActions, onceEach, parkMany, running, type TestActions, tracesOf } from '../../support/actions.ts'
import { createTestBus, until } from '../../support/bus.ts'

const jane = { operator: 'jane@example.com' }

const refuseWhen = (pool: pg.Pool, table: string, when: string) =>
  pool.query(`create function refuse() returns trigger language plpgsql as
    $$ begin raise exception 'this one is refused'; end $$;
    create trigger refuse before insert or update on ${table} for each row when (${when}) execute function refuse()`)

const outcomesOf = async (actions: TestActions, id: string) =>
  (await actions.get(id, { items: { limit: 500 } }))?.items?.items ?? []

describe('an item that cannot be done', () => {
  test('fails by itself: the other items of its batch are done', async () => {
    const { pool } = await createTestBus()
    const ids = [...(await parkMany(pool, 1200))].sort()
    const bad = [ids[3], ids[700], ids[701]] as string[]
    const list = bad.map(id => `'${id}'`).join(', ')
    await refuseWhen(pool, 'pgmq.q_payments__commands', `new.message->>'command_id' in (${list})`)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {} })
    const done = await actions.runOne(actionId)
    expect(done).toMatchObject({ status: 'COMPLETED', succeeded: 1197, failed: 3, skipped: 0 })
    const failed = await actions.get(actionId, { items: { outcome: 'FAILED' } })
    expect(failed?.items?.items.map(({ commandId, message }) => [commandId, message])).toEqual(
      bad.map(id => [id, 'this one is refused']),
    )
    expect(await tracesOf(pool)).toMatchObject({
      audit: { OPERATOR_RETRY: onceEach(1197) },
      rows: { PENDING: 1197, IN_TROUBLESHOOTING_QUEUE: 3 },
      messages: onceEach(1197),
    })
  })

  test('because its events cannot be read fails by itself, and names the event', async () => {
    const { pool } = await createTestBus()
    const [a = '', b = '', c = ''] = [...(await parkMany(pool, 3))].sort()
    await pool.query('alter table command_bus_event disable trigger user')
    await pool.query(`update command_bus_event set data = data - 'policy' where stream = $1 and revision = 0`, [
      `command-payments-${b}`,
    ])
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {} })
    expect(await actions.runOne(actionId)).toMatchObject({ status: 'COMPLETED', succeeded: 2, failed: 1 })
    expect((await outcomesOf(actions, actionId)).map(item => [item.commandId, item.outcome, item.message])).toEqual([
      [a, 'SUCCEEDED', null],
      [b, 'FAILED', expect.stringMatching(/event 0 of stream 'command-payments-.*data\.policy/)],
      [c, 'SUCCEEDED', null],
    ])
  })
})

describe('when outcomes cannot be written', () => {
  test('nothing is done to the commands, and other actions go on', async () => {
    const { pool } = await createTestBus()
    await parkMany(pool, 10)
    await parkMany(pool, 10, { domain: 'orders' })
    const warnings: string[] = []
    const log: Log = { ...silentLog, warn: (_, message) => void warnings.push(message) }
    const actions = createTestActions(pool, { log })
    const stuck = await actions.start({ ...jane, action: 'retry', filter: { domain: 'payments' } })
    await refuseWhen(pool, 'command_bus_action', `new.id = '${stuck.actionId}'`)
    running(actions)
    await until(
      async () => warnings.filter(warning => /cannot go on/.test(warning)).length,
      count => count > 1,
    )
    const other = await actions.start({ ...jane, action: 'retry', filter: { domain: 'orders' } })
    await until(
      () => actions.get(other.actionId),
      view => view?.status === 'COMPLETED',
    )
    expect(await actions.get(stuck.actionId)).toMatchObject({ status: 'RUNNING', succeeded: 0 })
    expect(await tracesOf(pool)).toMatchObject({ audit: { OPERATOR_RETRY: onceEach(10) }, messages: onceEach(0) })
    await pool.query('drop function refuse cascade')
    expect(await actions.runOne(stuck.actionId)).toMatchObject({ status: 'COMPLETED', succeeded: 10 })
  })
})

describe('when outcomes could not be written for a while', () => {
  test('no item is marked as failed for it', async () => {
    const { pool } = await createTestBus()
    await parkMany(pool, 10)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {} })
    await pool.query('create sequence tries')
    await refuseWhen(pool, 'command_bus_action', `nextval('tries') <= 4`)
    running(actions)
    const view = await until(
      () => actions.get(actionId),
      seen => seen?.status === 'COMPLETED',
    )
    expect(view).toMatchObject({ succeeded: 10, failed: 0 })
  })
})

describe('a runner', () => {
  test('survives a time in which the actions cannot be read', async () => {
    const { pool } = await createTestBus()
    await parkMany(pool, 1)
    const warnings: string[] = []
    const log: Log = { ...silentLog, warn: (_, message) => void warnings.push(message) }
    const actions = createTestActions(pool, { log })
    await pool.query('alter table command_bus_action rename to command_bus_hidden')
    running(actions)
    await until(
      async () => warnings.filter(warning => /cannot be read/.test(warning)).length,
      count => count > 1,
    )
    await pool.query('alter table command_bus_hidden rename to command_bus_action')
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {} })
    await until(
      () => actions.get(actionId),
      view => view?.status === 'COMPLETED',
    )
  })
})

describe('a queue that is gone', () => {
  test('is made again, for retries and for replies', async () => {
    const { pool, messages } = await createTestBus()
    await parkMany(pool, 1, { replyTo: 'replies' })
    const actions = createTestActions(pool)
    const all = async (
      options: { readonly action: 'retry' } | { readonly action: 'cancel'; readonly reason: string },
    ) => {
      const { actionId } = await actions.start({ ...jane, ...options, filter: {} })
      return actions.runOne(actionId)
    }
    await all({ action: 'cancel', reason: 'x' })
    await pool.query(`select pgmq.drop_queue('replies')`)
    await parkMany(pool, 2, { replyTo: 'replies' })
    expect(await all({ action: 'cancel', reason: 'x' })).toMatchObject({ succeeded: 2 })
    expect(await messages('replies')).toHaveLength(2)

    await parkMany(pool, 3, { data: { amount: 7 } })
    await all({ action: 'retry' })
    await parkMany(pool, 3, { data: { amount: 7 } })
    await pool.query(`select pgmq.drop_queue('payments__commands')`)
    expect(await all({ action: 'retry' })).toMatchObject({ succeeded: 3 })
    expect((await messages('payments__commands')).map(({ message }) => message.data)).toEqual(
      Array.from({ length: 3 }, () => ({ amount: 7 })),
    )
  })
})

describe('large values', () => {
  test('the payloads of retried commands are not read from the database', async () => {
    const { pool } = await createTestBus()
    await parkMany(pool, 30, { data: { text: 'x'.repeat(300_000) } })
    const counted = countBytes(pool)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {} })
    const before = counted()
    await actions.runOne(actionId)
    expect(counted() - before).toBeLessThan(300_000)
    const { rows } = await pool.query(
      `select count(*)::int as whole from pgmq.q_payments__commands where length(message->'data'->>'text') = 300000`,
    )
    expect(rows).toEqual([{ whole: 30 }])
  })

  test('an action with a large result runs in smaller batches', async () => {
    const { pool } = await createTestBus()
    await parkMany(pool, 20, { replyTo: 'replies' })
    const actions = createTestActions(pool)
    const resultData = 'x'.repeat(1_000_000)
    const { actionId } = await actions.start({ ...jane, action: 'complete', filter: {}, resultData })
    const seen: number[] = []
    await actions.runOne(actionId, { onProgress: view => seen.push(view.succeeded) })
    expect(seen).toEqual([0, 8, 16, 20])
    expect((await tracesOf(pool)).replies).toEqual(onceEach(20))
  })
})

/** Bytes that all connections of a pool have received, those that it opens from now on included. */
const countBytes = (pool: pg.Pool): (() => number) => {
  const sockets = new Set<{ readonly bytesRead: number }>()
  pool.on('acquire', client => {
    const { connection } = client as unknown as { connection: { stream: { bytesRead: number } } }
    sockets.add(connection.stream)
  })
  return () => [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0)
}

describe('the tables', () => {
  test('refuse rows that no action can have', async () => {
    const { pool } = await createTestBus()
    await parkMany(pool, 2)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {}, canary: 1 })
    const refused: readonly (readonly [change: string, constraint: RegExp])[] = [
      [`status = 'DONE', skipped = 2`, /action_status/],
      [`status = 'COMPLETED'`, /action_counts/],
      [`status = 'CANARY_FAILED', skipped = 2`, /action_note/],
      [`canary = null`, /action_canary/],
      [`succeeded = 3`, /action_counts/],
      [`action = 'cancel'`, /action_details/],
    ]
    for (const [change, constraint] of refused) {
      await expect(pool.query(`update command_bus_action set ${change} where id = $1`, [actionId])).rejects.toThrow(
        constraint,
      )
    }
    for (const change of [`outcome = 'SKIPPED'`, `message = 'why'`, `outcome = 'DONE'`]) {
      await expect(pool.query(`update command_bus_action_item set ${change}`)).rejects.toThrow(/action_item/)
    }
  })
})
