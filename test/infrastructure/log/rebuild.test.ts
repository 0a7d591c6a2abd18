import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import { BusinessRuleError, PermanentCommandError, TransientCommandError } from '../../../src/index.ts'
import { rebuildCommands } from '../../../src/infrastructure/postgres/read-tables/rebuild.ts'
import { RebuildError } from '../../../src/infrastructure/postgres/read-tables/rebuild-table.ts'
import { verifyCommands } from '../../../src/infrastructure/postgres/read-tables/verify.ts'
import { knownMigrations } from '../../../src/infrastructure/postgres/schema/known-migrations.ts'
import { migrate } from '../../../src/infrastructure/postgres/schema/migrate.ts'
import { migrationsDirectory } from '../../../src/infrastructure/postgres/schema/migration-files.ts'
import { verifyLog } from '../../../src/infrastructure/proof/verification/verify.ts'
import { createTestBus, signal, type TestBus } from '../../support/bus.ts'
import { OF_THIS_DATABASE } from '../../support/database.ts'
import { schemaDump } from '../../support/schema-dump.ts'

const handlers = {
  Succeed: async () => ({ fine: true }),
  Park: async () => {
    throw new PermanentCommandError('BROKEN', 'it is broken')
  },
  Refuse: async () => {
    throw new BusinessRuleError('NO', 'the business says no')
  },
  Stumble: async (_: unknown, { attempt }: { readonly attempt: number }) => {
    if (attempt < 2) throw new TransientCommandError('DOWN', 'not now')
  },
  GiveUp: async () => {
    throw new TransientCommandError('DOWN', 'never')
  },
}
const types = Object.keys(handlers)

const isSettled = (command: { readonly status: string; readonly nextAttemptAt: string | null }): boolean =>
  command.status !== 'PENDING' && command.status !== 'IN_PROGRESS'

/** More events of another kind than a page of the log holds. */
const fillPage = (pool: Pool) =>
  pool.query(`insert into command_bus_event (stream, revision, id, type, data, meta, hash)
              select 'other-' || gen_random_uuid(), 0, gen_random_uuid(), 'SomethingElse', '{}', '{}', ''
              from generate_series(1, 6000) n`)

/** Commands of every kind of life: done, parked, operated on, waiting, canceled; `pause` comes between its phases. */
const liveThrough = async (
  { bus, work, until }: TestBus,
  count: number,
  pause: () => Promise<unknown> = async () => {},
): Promise<void> => {
  const commands = Array.from({ length: count }, (_, i) => ({
    commandType: types[i % types.length] ?? '',
    data: { i },
    backoffSeconds: [0],
    replyTo: 'shop__replies',
    ...(i % 3 === 0 ? { tenantId: 't', ownerId: `owner ${i % 7}`, parentCommandId: randomUUID(), retryCount: 1 } : {}),
  }))
  await bus.sendBatch('shop', commands)
  await pause()
  const worker = await work({ domain: 'shop', handlers })
  await until(
    () => bus.queryCommands({ domain: 'shop', limit: 500 }),
    page => page.items.length === count && page.items.every(isSettled),
  )
  await worker.stop()
  await pause()
  const parked = (await bus.troubleshooting.list({ domain: 'shop', limit: 500 })).items
  for (const [i, { commandId }] of parked.entries()) {
    if (i % 5 === 0)
      await bus.troubleshooting.retry('shop', commandId, { operator: 'jane', resetAttempts: i % 2 === 0 })
    if (i % 5 === 1) await bus.troubleshooting.cancel('shop', commandId, { operator: 'jane', reason: 'no more' })
    if (i % 5 === 2) await bus.troubleshooting.complete('shop', commandId, { operator: 'jane', resultData: { i } })
    if (i % 5 === 3) await bus.troubleshooting.retry('shop', commandId, { operator: 'jane', data: { edited: i } })
  }
  const { commandId } = await bus.send('shop', 'Succeed', {})
  await bus.cancel('shop', commandId, { reason: 'changed my mind' })
}

const rowsOf = async (pool: Pool) =>
  (await pool.query('select to_jsonb(c) as row from command_bus_command c order by domain, command_id')).rows

const queuesOf = async (pool: Pool) => {
  const { rows } = await pool.query('select queue_name from pgmq.list_queues() order by 1')
  return Promise.all(
    rows.flatMap(({ queue_name }) =>
      ['q', 'a'].map(
        async table => (await pool.query(`select * from pgmq.${table}_${queue_name} order by msg_id`)).rows,
      ),
    ),
  )
}

describe('a rebuild of the rows', () => {
  test('makes the same rows in every column and the same schema, and sends nothing', async () => {
    const t = await createTestBus()
    await liveThrough(t, 200, () => fillPage(t.pool))
    const [rows, queues, schema] = [await rowsOf(t.pool), await queuesOf(t.pool), await schemaDump(t.pool)]
    expect(new Set(rows.map(({ row }) => row.status)).size).toBeGreaterThanOrEqual(5)
    expect(await verifyCommands({ pool: t.pool })).toEqual([])

    const progress: number[] = []
    const rebuilt = await rebuildCommands({ pool: t.pool, onProgress: ({ events }) => progress.push(events) })
    const log = await t.pool.query(`select count(*)::int as n from command_bus_event where stream like 'command-%'`)
    expect(rebuilt).toEqual({ events: log.rows[0].n, commands: 201 })
    expect(progress.at(-1)).toBe(log.rows[0].n)
    expect(await rowsOf(t.pool)).toEqual(rows)
    expect(await queuesOf(t.pool)).toEqual(queues)
    expect(await schemaDump(t.pool)).toBe(schema)
    expect(await verifyCommands({ pool: t.pool })).toEqual([])
  })

  test('repairs any change of the rows, after verify has named it', async () => {
    const t = await createTestBus()
    await liveThrough(t, 40)
    const rows = await rowsOf(t.pool)
    const [changed, lost, kept] = rows.map(({ row }) => row)
    const at = (row: { domain: string; command_id: string }) => `command-${row.domain}-${row.command_id}`
    await t.pool.query(
      `update command_bus_command set msg_id = 999, tenant_id = 'x', updated_at = updated_at + '1us'
                        where command_id = $1`,
      [changed.command_id],
    )
    await t.pool.query('delete from command_bus_command where command_id = $1', [lost.command_id])
    await t.pool.query(
      `insert into command_bus_command select (jsonb_populate_record(c, '{"domain": "ghost"}')).*
                        from command_bus_command c where command_id = $1`,
      [kept.command_id],
    )

    const drift = await verifyCommands({ pool: t.pool })
    expect(drift).toHaveLength(5)
    expect(drift).toEqual(
      expect.arrayContaining([
        { stream: at(changed), column: 'msg_id', expected: changed.msg_id, found: 999 },
        { stream: at(changed), column: 'tenant_id', expected: changed.tenant_id, found: 'x' },
        { stream: at(changed), column: 'updated_at', expected: changed.updated_at, found: expect.any(String) },
        { stream: at(lost), column: '*', expected: lost, found: null },
        { stream: at({ ...kept, domain: 'ghost' }), column: '*', expected: null, found: { ...kept, domain: 'ghost' } },
      ]),
    )
    expect(await verifyCommands({ pool: t.pool, limit: 2 })).toHaveLength(2)
    await rebuildCommands({ pool: t.pool })
    expect(await rowsOf(t.pool)).toEqual(rows)
    expect(await verifyCommands({ pool: t.pool })).toEqual([])
  })

  test('works on an empty log, and on one of many pages', async () => {
    const t = await createTestBus()
    expect(await rebuildCommands({ pool: t.pool })).toEqual({ events: 0, commands: 0 })
    const commands = Array.from({ length: 10_000 }, (_, i) => ({ commandType: 'Succeed', data: { i } }))
    await t.bus.sendBatch('shop', commands)
    await t.bus.sendBatch('more', commands.slice(0, 2_000))
    const rows = await rowsOf(t.pool)
    expect(await rebuildCommands({ pool: t.pool })).toEqual({ events: 12_000, commands: 12_000 })
    expect(await rowsOf(t.pool)).toEqual(rows)
    await t.pool.query(
      'update command_bus_command set msg_id = null where ctid in (select ctid from command_bus_command limit 1)',
    )
    expect(await verifyCommands({ pool: t.pool })).toMatchObject([{ column: 'msg_id', found: null }])
  })

  test('skips events of other kinds', async () => {
    const t = await createTestBus()
    await t.bus.send('shop', 'Succeed', {})
    await fillPage(t.pool)
    await fillPage(t.pool)
    await t.bus.send('shop', 'Succeed', {})
    const rows = await rowsOf(t.pool)
    expect(await rebuildCommands({ pool: t.pool })).toEqual({ events: 2, commands: 2 })
    expect(await rowsOf(t.pool)).toEqual(rows)
    expect(await verifyCommands({ pool: t.pool })).toEqual([])
  })
})

describe('a rebuild while the bus works', () => {
  test('loses nothing: live senders, workers and operators use the new table on their open connections', async () => {
    const t = await createTestBus()
    const { bus, pool, until, work } = t
    await liveThrough(t, 50)
    // a reader that a swap stops leaves its messages to their lease
    await work({ domain: 'shop', handlers, concurrency: 20, leaseSeconds: 5 })
    let over = false
    const ids: string[] = []
    const sender = async () => {
      while (!over) {
        const sent = await bus.sendBatch(
          'shop',
          types.map(commandType => ({ commandType, data: {}, backoffSeconds: [0], replyTo: 'shop__replies' })),
        )
        ids.push(...sent.map(({ commandId }) => commandId))
        ids.push((await bus.send('shop', 'Succeed', {}, { replyTo: 'shop__replies' })).commandId)
      }
    }
    const operator = async () => {
      while (!over) {
        const { items } = await bus.troubleshooting.list({ domain: 'shop', limit: 5 })
        for (const { commandId } of items) {
          await bus.troubleshooting.complete('shop', commandId, { operator: 'jane' })
        }
      }
    }
    const traffic = [sender(), sender(), operator()]
    const schema = await schemaDump(pool)
    for (let i = 0; i < 3; i++) await rebuildCommands({ pool })
    over = true
    await Promise.all(traffic)
    for (const status of ['PENDING', 'IN_PROGRESS'] as const) {
      await until(
        () => bus.queryCommands({ domain: 'shop', limit: 1, status }),
        ({ items }) => items.length === 0,
      )
    }
    expect(await verifyLog(pool)).toMatchObject({ findings: [], commands: ids.length + 51 })
    expect(await schemaDump(pool)).toBe(schema)
    const there = await pool.query('select count(*)::int as n from command_bus_command where command_id = any ($1)', [
      ids,
    ])
    expect(there.rows[0].n).toBe(ids.length)
    const replies = await pool.query(
      `select message->>'command_id' as id, count(*)::int as n from pgmq.q_shop__replies group by 1`,
    )
    expect(replies.rows.filter(({ n }) => n !== 1)).toEqual([])
    const left = await rowsOf(pool)
    await rebuildCommands({ pool })
    expect(await rowsOf(pool)).toEqual(left)
  })

  test('waits for a long transaction that uses the old table, and does not block writers meanwhile', async () => {
    const { bus, pool, until } = await createTestBus()
    await bus.send('shop', 'Succeed', {})
    const reader = await pool.connect()
    await reader.query('begin')
    await reader.query('select * from command_bus_command')
    const inTheWay = signal()
    let sentMeanwhile = 0
    const rebuilding = rebuildCommands({ pool, onProgress: () => inTheWay.resolve() })
    await inTheWay.promise
    const blocked = `select 1 from pg_locks where ${OF_THIS_DATABASE} and not granted and relation = 'command_bus_command'::regclass`
    await until(
      () => pool.query(blocked),
      ({ rowCount }) => rowCount !== 0,
    )
    for (; sentMeanwhile < 20; sentMeanwhile++) await bus.send('shop', 'Succeed', {})
    // as a caller who read first and sends later, in one transaction
    await bus.send('shop', 'Succeed', {}, { client: reader })
    await reader.query('commit')
    reader.release()
    expect((await rebuilding).commands).toBe(22)
    expect(await verifyCommands({ pool })).toEqual([])
  })

  test('includes what an open transaction appends', async () => {
    const { bus, pool, until } = await createTestBus()
    await bus.send('shop', 'Succeed', {})
    const client = await pool.connect()
    await client.query('begin')
    await bus.send('shop', 'Succeed', {}, { client })
    const begun = signal()
    const rebuilding = rebuildCommands({ pool, onProgress: () => begun.resolve() })
    await begun.promise
    const blocked = `select 1 from pg_locks where ${OF_THIS_DATABASE} and not granted and locktype = 'advisory'`
    await until(
      () => pool.query(blocked),
      ({ rowCount }) => rowCount !== 0,
    )
    await client.query('commit')
    client.release()
    expect(await rebuilding).toEqual({ events: 2, commands: 2 })
    expect(await verifyCommands({ pool })).toEqual([])
  })

  test('without its connection leaves the rows as they are, and the next one works', async () => {
    const { bus, pool, until } = await createTestBus()
    await bus.send('shop', 'Succeed', {})
    const rows = await rowsOf(pool)
    const reader = await pool.connect()
    await reader.query('begin')
    await reader.query('select * from command_bus_command')
    const rebuilding = rebuildCommands({ pool }).catch(error => error)
    const kill = `select pg_terminate_backend(pid) from pg_locks
                  where ${OF_THIS_DATABASE} and not granted and relation = 'command_bus_command'::regclass`
    await until(
      () => pool.query(kill),
      ({ rowCount }) => rowCount !== 0,
    )
    expect(await rebuilding).toBeInstanceOf(Error)
    await reader.query('commit')
    reader.release()
    expect(await rowsOf(pool)).toEqual(rows)
    expect(await rebuildCommands({ pool })).toEqual({ events: 1, commands: 1 })
    expect(await rowsOf(pool)).toEqual(rows)
  })

  test('K7: is refused when a migration has changed the tables meanwhile, and keeps what it made', async () => {
    const { bus, pool } = await createTestBus()
    await bus.send('shop', 'Succeed', {})
    const directory = await mkdtemp(join(tmpdir(), 'commandbus-migrations-'))
    await cp(migrationsDirectory(), directory, { recursive: true, dereference: true })
    const next = `${knownMigrations.length + 1}`.padStart(4, '0')
    await writeFile(join(directory, `${next}_next.sql`), 'create index next on command_bus_command (attempts);')
    const reader = await pool.connect()
    await reader.query('begin; select from command_bus_command')
    const begun = signal()
    const rebuilding = rebuildCommands({ pool, onProgress: () => begun.resolve() }).catch(error => error)
    await begun.promise
    await migrate(pool, { directory })
    await reader.query('commit')
    reader.release()
    expect(await rebuilding).toMatchObject({
      code: 'REBUILD_REFUSED',
      message: expect.stringMatching(/migrated meanwhile: rebuild again/),
    })
    expect((await pool.query(`select to_regclass('next') as next`)).rows).toEqual([{ next: 'next' }])
    expect((await rebuildCommands({ pool })).commands).toBe(1)
    expect((await pool.query(`select to_regclass('next') as next`)).rows).toEqual([{ next: 'next' }])
    await rm(directory, { recursive: true })
  })

  test('is refused while another one runs', async () => {
    const { bus, pool } = await createTestBus()
    await bus.send('shop', 'Succeed', {})
    const results = await Promise.allSettled([rebuildCommands({ pool }), rebuildCommands({ pool })])
    const refused = results.filter(({ status }) => status === 'rejected')
    expect(refused).toMatchObject([{ reason: expect.any(RebuildError) }])
    expect((await rebuildCommands({ pool })).commands).toBe(1)
  })
})

describe('objects that belong to the table', () => {
  test('grants, storage and comments stay; leftovers of an interrupted rebuild are removed', async () => {
    const { bus, pool } = await createTestBus()
    await bus.send('shop', 'Succeed', {})
    const role = `reader_${randomUUID().replaceAll('-', '')}`
    await pool.query(`create role ${role}`)
    await pool.query(`grant select on command_bus_command to ${role} with grant option`)
    await pool.query(`comment on table command_bus_command is 'what''s there'`)
    await pool.query('create table command_bus_command_rebuild (left_behind int)')
    const before = await schemaDump(pool)
    await rebuildCommands({ pool })
    expect(await schemaDump(pool)).toBe(
      before.replace(/table command_bus_command_rebuild\n {2}column left_behind integer\n/, ''),
    )
    const { rows } = await pool.query(
      `select obj_description('command_bus_command'::regclass) as comment, has_table_privilege($1, 'command_bus_command', 'select with grant option') as may`,
      [role],
    )
    expect(rows).toEqual([{ comment: "what's there", may: true }])
    await pool.query(`drop owned by ${role}`)
    await pool.query(`drop role ${role}`)
  })

  test.each([
    ['a view', 'create view mine as select * from command_bus_command', /view mine/],
    [
      'a trigger',
      'create trigger mine before update on command_bus_command for each row execute function suppress_redundant_updates_trigger()',
      /trigger mine/,
    ],
    [
      'a foreign key',
      'create table mine (d text collate "C", c uuid, foreign key (d, c) references command_bus_command)',
      /constraint mine_d_c_fkey/,
    ],
    ['a publication', 'create publication mine for table command_bus_command', /publication mine/],
  ])('%s of the user is named, and nothing is done', async (_, attach, name) => {
    const { bus, pool } = await createTestBus()
    await bus.send('shop', 'Succeed', {})
    await pool.query(attach)
    const before = await schemaDump(pool)
    await expect(rebuildCommands({ pool })).rejects.toThrow(name)
    await expect(rebuildCommands({ pool })).rejects.toThrow(RebuildError)
    expect(await schemaDump(pool)).toBe(before)
  })
})
