import { describe, expect, test } from 'vitest'
import { createActionStore } from '../../../src/infrastructure/postgres/bulk/action-store.ts'
import { createTestActions, onceEach, parkMany, running, tracesOf } from '../../support/actions.ts'
import { createTestBus, until } from '../../support/bus.ts'
import { spawnRunner } from './bulk-child.ts'

const jane = { operator: 'jane@example.com' }

describe('kill -9', () => {
  test('of the process that retries 4,000: another one goes on, and each has one audit entry and one message', async () => {
    const { pool, database } = await createTestBus()
    const total = 4_000
    await parkMany(pool, total)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {} })
    const succeeded = async (): Promise<number> => (await actions.get(actionId))?.succeeded ?? 0
    await pool.query(
      `create function linger() returns trigger language plpgsql as $$ begin perform pg_sleep(0.1); return null; end $$;
       create trigger linger before update on command_bus_action_item for each statement execute function linger();
       create function look_for(moment text, most float8) returns void language plpgsql as $$ begin
         while (select succeeded from command_bus_action) < most and not exists (
           select from pg_stat_activity where datname = current_database() and state = 'active' and starts_with(query, moment))
         loop
           perform pg_sleep(0.001), pg_stat_clear_snapshot();
         end loop;
       end $$`,
    )
    for (const [share, moment] of [
      [0.2, 'select "public".command_bus_commit'],
      [0.4, 'with marked as'],
      [0.6, 'select stream, revision'],
    ] as const) {
      const runner = spawnRunner(database.url)
      await until(succeeded, done => done > total * share)
      // some are so short that none may be seen
      await pool.query('select look_for($1, $2)', [moment, total * (share + 0.2)])
      await runner.kill()
      const { rows } = await pool.query(
        `select succeeded as counted,
                (select count(*)::int from command_bus_action_item where outcome = 'SUCCEEDED') as marked,
                (select count(*)::int from command_bus_event where type = 'OperatorRetried') as audited
         from command_bus_action`,
      )
      const { counted } = rows[0]
      expect(rows).toEqual([{ counted, marked: counted, audited: counted }])
      expect(counted).toBeLessThan(total)
    }
    await pool.query('drop function linger cascade')
    spawnRunner(database.url)
    await until(succeeded, done => done === total)
    expect(await actions.get(actionId)).toMatchObject({ status: 'COMPLETED', failed: 0, skipped: 0 })
    expect(await tracesOf(pool)).toEqual({
      audit: { OPERATOR_RETRY: onceEach(total) },
      rows: { PENDING: total },
      messages: onceEach(total),
      replies: onceEach(0),
    })
  })
})

describe('runners', () => {
  test('several at once share the work of several actions, and do nothing twice', async () => {
    const { pool } = await createTestBus()
    const domains = ['payments', 'orders', 'mail']
    for (const domain of domains) await parkMany(pool, 2000, { domain, replyTo: 'replies' })
    const processes = [createTestActions(pool), createTestActions(pool), createTestActions(pool)]
    const [first = createTestActions(pool)] = processes
    for (const one of processes) running(one)
    const started = await Promise.all(
      domains.map(domain => first.start({ ...jane, action: 'cancel', reason: 'x', filter: { domain } })),
    )
    await until(
      () => first.list(),
      ({ items }) => items.every(({ status }) => status === 'COMPLETED'),
    )
    expect(started.map(({ total }) => total)).toEqual([2000, 2000, 2000])
    expect((await first.list()).items.map(({ succeeded }) => succeeded)).toEqual([2000, 2000, 2000])
    expect(await tracesOf(pool)).toMatchObject({
      audit: { OPERATOR_CANCEL: onceEach(6000) },
      rows: { CANCELED: 6000 },
      replies: onceEach(6000),
    })
  })

  test('A30: pages of actions that were started within a millisecond lack none', async () => {
    const { pool } = await createTestBus()
    const { start, list } = createTestActions(pool)
    for (let i = 0; i < 3; i++) await start({ ...jane, action: 'retry', filter: {} })
    await pool.query(
      `update command_bus_action a set created_at = timestamptz '2026-01-01Z' + n.n * interval '100 us'
       from (select id, row_number() over (order by id) as n from command_bus_action) n where n.id = a.id`,
    )
    const seen: string[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await list({ limit: 1, ...(cursor === undefined ? {} : { cursor }) })
      seen.push(...page.items.map(({ actionId }) => actionId))
      cursor = page.nextCursor
    }
    expect(seen).toEqual((await list()).items.map(({ actionId }) => actionId))
    expect(seen).toHaveLength(3)
  })

  test('several at once on one action take turns', async () => {
    const { pool } = await createTestBus()
    await parkMany(pool, 4000)
    const [a, b] = [createTestActions(pool), createTestActions(pool)]
    const { actionId } = await a.start({ ...jane, action: 'retry', filter: {} })
    const views = await Promise.all([a.runOne(actionId), b.runOne(actionId)])
    expect(views[0]).toEqual(views[1])
    expect(views[0]).toMatchObject({ status: 'COMPLETED', succeeded: 4000, skipped: 0 })
    expect(await tracesOf(pool)).toMatchObject({
      audit: { OPERATOR_RETRY: onceEach(4000) },
      messages: onceEach(4000),
    })
  })

  test('leave an action to the process that works on it', async () => {
    const { pool } = await createTestBus()
    await parkMany(pool, 1)
    const { actionId } = await createTestActions(pool).start({ ...jane, action: 'retry', filter: {} })
    const store = createActionStore(pool)
    const inner = await store.take(actionId, { wait: false }, () =>
      createActionStore(pool).take(actionId, { wait: false }, async () => 'taken'),
    )
    expect(inner).toBeNull()
    expect(await store.take(actionId, { wait: false }, async () => 'taken')).toBe('taken')
  })

  test('carry out actions that another process has started', async () => {
    const { pool } = await createTestBus()
    await parkMany(pool, 2)
    running(createTestActions(pool))
    const other = createTestActions(pool)
    const { actionId } = await other.start({ ...jane, action: 'retry', filter: {} })
    await until(
      () => other.get(actionId),
      view => view?.status === 'COMPLETED',
    )
  })

  test('go on when their connections are cut, and do nothing twice', async () => {
    const { pool } = await createTestBus()
    await parkMany(pool, 5000)
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {} })
    const cut = () =>
      pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
      )
    running(actions)
    const succeeded = async (): Promise<number> => (await actions.get(actionId).catch(() => null))?.succeeded ?? 0
    for (let cuts = 0, before = 0; cuts < 4; cuts++) {
      before = await until(succeeded, done => done > before)
      await cut().catch(() => {})
    }
    await until(succeeded, done => done === 5000)
    expect(await tracesOf(pool)).toMatchObject({
      audit: { OPERATOR_RETRY: onceEach(5000) },
      messages: onceEach(5000),
    })
  })
})

describe('an operator who acts on single commands at the same time', () => {
  test('each command gets one action, and each skipped item names the operator who was faster', async () => {
    const { bus, pool, another } = await createTestBus()
    const total = 2000
    // parked at one moment, they are taken in by their ids
    const parkedIds = [...(await parkMany(pool, total, { replyTo: 'replies' }))].sort()
    const actions = createTestActions(pool)
    const { actionId } = await actions.start({ ...jane, action: 'retry', filter: {} })
    const singles = [bus, another()].map(async (own, n) => {
      let won = 0
      // from the far end, so that both meet in the middle
      for (let i = total - 1 - n; i > 0; i -= 2) {
        const commandId = parkedIds[i] as string
        const act = i % 4 < 2 ? own.troubleshooting.cancel : own.troubleshooting.complete
        try {
          await act('payments', commandId, { operator: 'joe', reason: 'x' })
          won++
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_OPERATION', status: 'PENDING' })
          return won
        }
      }
      return won
    })
    const [view, ...wins] = await Promise.all([actions.runOne(actionId), ...singles])
    const won = wins.reduce((sum, n) => sum + n, 0)
    expect(won).toBeGreaterThan(0)
    expect(view).toMatchObject({ status: 'COMPLETED', succeeded: total - won, skipped: won, failed: 0 })
    const traces = await tracesOf(pool)
    expect(traces.audit.OPERATOR_RETRY).toEqual(onceEach(total - won))
    expect(traces.messages).toEqual(onceEach(total - won))
    expect(traces.replies).toEqual(onceEach(won))
    const skipped = await actions.get(actionId, { items: { outcome: 'SKIPPED', limit: 500 } })
    for (const item of skipped?.items?.items ?? []) {
      expect(item.message).toMatch(/is (CANCELED|COMPLETED), not in troubleshooting/)
    }
  })
})
