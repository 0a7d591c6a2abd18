import { describe, expect, test } from 'vitest'
import { unhandledSentence } from '../../../src/domain/flow/unhandled.ts'
import { readDatabaseStats } from '../../../src/infrastructure/postgres/stats/database-stats.ts'
import { checkHealth } from '../../../src/infrastructure/service/checks.ts'
import { createMetrics } from '../../../src/infrastructure/telemetry/metrics.ts'
import { createTestBus } from '../../support/bus.ts'

describe('commands that no worker is there for', () => {
  test('O8: a domain without a worker is named with its count and its oldest, in health and metrics, until one starts', async () => {
    const { bus, work, pool, until } = await createTestBus()
    expect(await bus.workers.missing()).toEqual([])
    await bus.sendBatch(
      'inventory',
      Array.from({ length: 7 }, () => ({ commandType: 'Count', data: {} })),
    )
    await bus.send('inventory', 'Count', {}, { priority: 'high' })
    await pool.query(
      `update command_bus_command set updated_at = updated_at - interval '19 minutes 5 seconds' where domain = 'inventory' and msg_id = 1 and priority = 'normal'`,
    )
    // these wait for something else
    await bus.send('later', 'Count', {}, { delaySeconds: 600 })
    await bus.send('paused', 'Count', {})
    await bus.pause({ domain: 'paused', reason: 'x' })
    await bus.send('types', 'Stopped', {})
    await bus.pause({ domain: 'types', commandType: 'Stopped', reason: 'x' })

    const missing = await bus.workers.missing()
    expect(missing).toEqual([
      {
        domain: 'inventory',
        commandType: null,
        pending: 8,
        since: expect.any(String),
        oldestSeconds: expect.any(Number),
      },
    ])
    expect(missing.map(unhandledSentence)).toEqual(['No worker for inventory: 8 pending, oldest 19 min'])
    const health = await checkHealth(pool)
    expect(health.status).toBe('degraded')
    expect(health.checks.workers).toEqual({
      status: 'degraded',
      reasons: ['No worker for inventory: 8 pending, oldest 19 min'],
      live: 0,
    })
    const metrics = createMetrics({ database: () => readDatabaseStats(pool), log: { warn: () => {} } as never })
    expect(await metrics.page()).toContain('commandbus_unhandled_commands{domain="inventory"} 8')
    expect(await bus.workers.missing({ domain: 'later' })).toEqual([])

    const worker = await work({ domain: 'inventory', handlers: { '*': async () => null } })
    await until(
      () => bus.workers.missing(),
      found => found.length === 0,
    )
    const page = await until(
      () => metrics.page(),
      text => text.includes('commandbus_workers{domain="inventory"} 1'),
    )
    expect(page).toContain('commandbus_unhandled_commands{domain="inventory"} 0')
    await until(
      () => bus.queryCommands({ domain: 'inventory', status: 'PENDING' }),
      ({ items }) => items.length === 0,
    )
    // an idle domain needs no worker
    await worker.stop()
    expect(await bus.workers.missing()).toEqual([])
    // what the pause held is named once it has ended
    for (const pause of await bus.pauses()) await bus.resume(pause.pauseId)
    expect((await bus.workers.missing()).map(one => one.domain).sort()).toEqual(['paused', 'types'])
  })

  test('O8: a type that no worker of its domain handles is named, and what runs or waits in its lane is not', async () => {
    const { bus, work, until } = await createTestBus()
    await work({ domain: 'mail', handlers: { Send: async () => null }, onUnknownType: { deferSeconds: 60 } })
    await until(
      () => bus.workers.handles('mail', 'Send'),
      handles => handles,
    )
    expect(await bus.workers.handles('mail', 'Fax')).toBe(false)
    await bus.send('mail', 'Fax', {})
    await bus.send('mail', 'Send', {})
    expect(
      await until(
        () => bus.workers.missing(),
        found => found.length > 0,
      ),
    ).toMatchObject([{ domain: 'mail', commandType: 'Fax', pending: 1 }])
    const [fax] = await bus.workers.missing()
    expect(unhandledSentence(fax as never)).toMatch(/^No worker for type Fax in mail: 1 pending, oldest \d+ s$/)
    await work({ domain: 'mail', handlers: { Fax: async () => null } })
    await until(
      () => bus.workers.missing(),
      found => found.length === 0,
    )

    // of a lane of width 1 only the first could begin
    await bus.sendBatch(
      'lanes',
      Array.from({ length: 3 }, () => ({ commandType: 'One', data: {}, key: 'k' })),
    )
    expect(await bus.workers.missing({ domain: 'lanes' })).toMatchObject([{ domain: 'lanes', pending: 1 }])
  })

  test('O8: a tenant sees its own commands only, and of no more than 1,000', async () => {
    const { bus } = await createTestBus()
    await bus.sendBatch('mail', [
      { commandType: 'Send', data: {}, tenantId: 'acme' },
      ...Array.from({ length: 1_100 }, () => ({ commandType: 'Send', data: {}, tenantId: 'other' })),
    ])
    await bus.send('own', 'Send', {})
    const seenBy = (tenant: string | null) => bus.as({ subject: 'jane', tenant, roles: ['AUDITOR'] }).workers.missing()
    expect(await seenBy('acme')).toMatchObject([{ domain: 'mail', pending: 1 }])
    expect(await seenBy('nobody')).toEqual([])
    expect(await seenBy(null)).toMatchObject([{ domain: 'own', pending: 1 }])
    const [all] = await bus.workers.missing({ domain: 'mail' })
    expect(unhandledSentence(all as never)).toMatch(/^No worker for mail: 1,000 or more pending/)
  })

  test('O8: a long backlog costs no more than a short one: the tables are read by their indexes', async () => {
    const { bus, pool } = await createTestBus()
    await bus.send('mail', 'Send', {})
    await pool.query(`
      with made as (
        insert into command_bus_command (domain, command_id, command_type, status, attempts, max_attempts, total_attempts, queue_name,
          correlation_id, retry_count, data_revision, created_at, updated_at, revision)
        select 'mail', gen_random_uuid(), 'Send', 'PENDING', 0, 3, 0, 'mail__commands', 'c', 0, 0, clock_timestamp(), now(), 0
        from generate_series(1, 20000) returning command_id)
      insert into pgmq.q_mail__commands (vt, message) select clock_timestamp(), jsonb_build_object('command_id', command_id) from made`)
    const pages = async () => {
      const { rows } = await pool.query(
        `explain (analyze, buffers, format json) select * from command_bus_unhandled(null, null)`,
      )
      const { Plan: plan } = rows[0]['QUERY PLAN'][0]
      return plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
    }
    // the first time the session also reads what there is to know of the tables
    const read = async () => {
      await pages()
      return pages()
    }
    // 1,000 rows and 1,000 messages, which lie together; none of these rows is looked up by its key
    expect(await read()).toBeLessThan(500)
    for (const table of ['command_bus_command', 'pgmq.q_mail__commands']) await pool.query(`vacuum analyze ${table}`)
    expect(await read()).toBeLessThan(500)
  })
})
