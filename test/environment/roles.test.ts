import { randomUUID } from 'node:crypto'
import pg, { type Pool } from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import type { StreamAppend } from '../../src/application/ports/event-store.ts'
import type { CommandEvent } from '../../src/domain/command/events.ts'
import { type CommandBus, createCommandBus } from '../../src/index.ts'
import { commandCodec } from '../../src/infrastructure/codec/command-codec.ts'
import { withClient } from '../../src/infrastructure/postgres/connection/with-client.ts'
import { planUnit } from '../../src/infrastructure/postgres/log/unit-of-work.ts'
import { type Grantee, grant, grantStatements, roleKinds } from '../../src/infrastructure/postgres/rights/grants.ts'
import { migrate } from '../../src/infrastructure/postgres/schema/migrate.ts'
import { createPool } from '../../src/infrastructure/postgres/transactions/pool.ts'
import { checkHealth } from '../../src/infrastructure/service/checks.ts'
import { commandRowChange } from '../../src/projections/command-row.ts'
import { outbox } from '../../src/projections/outbox.ts'
import { until } from '../support/bus.ts'
import { entriesOf } from '../support/flow/lanes.ts'
import { createCommandStore, receiving, sending } from '../support/lives/command-store.ts'
import { createRolesDatabase, type RolesDatabase } from '../support/roles.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const rolesDatabase = async (): Promise<RolesDatabase> => {
  const roles = await createRolesDatabase(['migrator', ...roleKinds])
  cleanUps.push(roles.drop)
  return roles
}

const poolOf = (roles: RolesDatabase, role: string): Pool => {
  const pool = createPool(roles.urlOf(role), 4)
  cleanUps.push(() => pool.end())
  return pool
}

const busOf = (roles: RolesDatabase, role: string): CommandBus => {
  const bus = createCommandBus({ databaseUrl: roles.urlOf(role) })
  cleanUps.push(() => bus.close())
  return bus
}

/** What the administrator of pgmq grants to the role that migrates, as docs/production.md says. */
const letMigratorMakeQueues = async ({ database, nameOf }: RolesDatabase): Promise<void> => {
  const to = pg.escapeIdentifier(nameOf('migrator'))
  await database.pool.query(
    `grant usage, create on schema pgmq to ${to}; grant select, insert, delete on pgmq.meta to ${to}`,
  )
}

const letMigratorShareThem = async ({ database, nameOf }: RolesDatabase): Promise<void> => {
  const to = pg.escapeIdentifier(nameOf('migrator'))
  await database.pool.query(
    `grant usage on schema pgmq to ${to} with grant option; grant select on pgmq.meta to ${to} with grant option`,
  )
}

const withFiveRoles = async (schema?: string): Promise<RolesDatabase> => {
  const roles = await rolesDatabase()
  await letMigratorMakeQueues(roles)
  await letMigratorShareThem(roles)
  const pool = poolOf(roles, 'migrator')
  await migrate(pool, schema === undefined ? {} : { schema })
  const grantees = roleKinds.map((kind): Grantee => ({ kind, role: roles.nameOf(kind) }))
  // a second time does no harm
  for (const _ of [1, 2]) {
    await withClient(pool, client => grant(client, grantees))
  }
  return roles
}

const REFUSED = '42501'
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { readonly code?: string; readonly cause?: { readonly code?: string } }) => error.cause?.code ?? error.code,
  )

describe.each([undefined, 'bus'])('R15: five roles, with the tables in schema %s', schema => {
  it('R15: do all their work, in new domains and with new reply queues', async () => {
    const roles = await withFiveRoles(schema)
    const [sender, worker, operator, reader] = roleKinds.map(kind => busOf(roles, kind)) as [
      CommandBus,
      CommandBus,
      CommandBus,
      CommandBus,
    ]
    let broken = true
    const working = worker.worker({
      domain: 'shop',
      pollMs: 20,
      handlers: {
        Buy: () => ({ bought: true }),
        Fail: data => {
          if (broken) throw new Error(`not today: ${JSON.stringify(data)}`)
          return null
        },
        Slow: async (_, { extendVisibility }) => extendVisibility(60),
        Note: { transactional: true, handle: () => ({ noted: true }) },
      },
    })
    await operator.sensitive.add({ domain: 'shop', commandType: 'Fail', path: 'why' })
    // the domain is new: the worker makes its queue
    await working.start()
    await until(
      () => reader.workers.list(),
      ([seen]) => seen?.domain === 'shop' && seen.status === 'live',
    )
    expect([await sender.workers.handles('shop', 'Buy'), await sender.workers.handles('shop', 'Sell')]).toEqual([
      true,
      false,
    ])
    await expect(sender.workers.list()).rejects.toThrow(/permission denied/)
    expect(await reader.workers.missing()).toEqual([])
    const replyTo = 'shop__replies'
    const bought = await sender.send('shop', 'Buy', { n: 1 }, { replyTo })
    const others = await Promise.all(['a', 'b'].map(key => sender.send('shop', 'Fail', {}, { maxAttempts: 1, key })))
    const failed = await sender.send('shop', 'Fail', { why: 'between us' }, { maxAttempts: 1, replyTo })
    const slow = await sender.send('shop', 'Slow', {})
    const noted = await withClient(poolOf(roles, 'sender'), async client => {
      await client.query('begin')
      const sent = await sender.send('shop', 'Note', {}, { client, replyTo: 'notes__replies' })
      await client.query('commit')
      return sent
    })
    // the sender makes it
    const unworked = await sender.send('fresh.domain', 'Wait', {}, { replyTo: 'other_answers' })
    const batch = await sender.sendBatch('shop', [
      { commandType: 'Buy', data: {} },
      { commandType: 'Buy', data: {} },
    ])
    expect(batch).toBeDefined()
    expect(await reader.workers.missing({ domain: 'fresh.domain' })).toMatchObject([
      { domain: 'fresh.domain', pending: 1 },
    ])
    await expect(sender.send('shop', 'Buy', {}, { commandId: bought.commandId })).rejects.toThrow(/already/)
    await sender.cancel('fresh.domain', unworked.commandId, {})
    const statusOf = async (commandId: string) => (await reader.getCommand('shop', commandId))?.status
    for (const { commandId } of [bought, slow, noted]) {
      await until(
        () => statusOf(commandId),
        status => status === 'COMPLETED',
      )
    }
    await until(
      () => reader.troubleshooting.list({ domain: 'shop' }),
      ({ items }) => items.length === 3,
    )
    // the worker may read what others have declared
    expect(await reader.getCommand('shop', failed.commandId)).toMatchObject({
      lastErrorMsg: 'not today: {"why":"•••"}',
    })
    broken = false
    expect((await operator.troubleshooting.groups({ domain: 'shop' }))[0]).toMatchObject({ count: 3 })
    await operator.troubleshooting.cancel('shop', others[0]?.commandId ?? '', { operator: 'jane', reason: 'no more' })
    await operator.troubleshooting.retry('shop', failed.commandId, { operator: 'jane' })
    const { actionId } = await operator.actions.start({ operator: 'jane', action: 'retry', filter: { domain: 'shop' } })
    expect(await operator.actions.runOne(actionId)).toMatchObject({ status: 'COMPLETED', total: 1, succeeded: 1 })
    expect(await reader.actions.get(actionId)).toMatchObject({ succeeded: 1, became: expect.any(Object) })
    await until(
      () => statusOf(failed.commandId),
      status => status === 'COMPLETED',
    )
    // the sender reads replies
    const replies = await poolOf(roles, 'sender').query('select message from pgmq.read($1::text, 30, 10)', [replyTo])
    expect(replies.rows.map(({ message }) => message.outcome)).toEqual(['SUCCESS', 'SUCCESS'])
    const canceled = await poolOf(roles, 'sender').query(`select message from pgmq.pop('other_answers')`)
    expect(canceled.rows).toMatchObject([{ message: { outcome: 'CANCELED' } }])
    expect((await sender.request('shop', 'Buy', {})).data).toEqual({ bought: true })
    await sender.send('shop', 'Buy', {}, { replyTo: 'more__replies' })
    await sender.send('shop', 'Buy', {}, { replyTo: 'more__replies' })
    await poolOf(roles, 'sender').query(`select pgmq.send('more__replies', '{}')`)
    let [read, strange] = [0, 0]
    await sender.replies('more__replies').run(() => void read++, { onError: () => void strange++, pollMs: 20 })
    await until(
      async () => [read, strange],
      ([replies, others]) => replies === 2 && others === 1,
    )
    // a message of no known command
    const { pool: admin } = roles.database
    await admin.query(`select pgmq.send('shop__commands', '{}')`)
    const readerPool = poolOf(roles, 'reader')
    await until(
      async () => (await readerPool.query('select why from command_bus_stranger')).rows,
      rows => rows.length === 1,
    )
    expect((await reader.queryCommands({ domain: 'shop' })).items).toHaveLength(11)
    expect(await reader.getAuditTrail('shop', bought.commandId)).toHaveLength(3)
    expect((await reader.getHistory('shop', bought.commandId)).items).toHaveLength(2)
    expect(await reader.maintenance.verify()).toEqual([])
    // the administrator's message is kept
    expect(await reader.maintenance.verifyLog()).toMatchObject({ findings: [], strangers: 1 })
    await working.stop()
    // nothing waits for a right that is missing
    expect(working.health().reasons.join()).not.toMatch(/permission/)
  })

  it('F13: a worker adopts with the rights of a sender, and without them keeps strangers, saying which right is missing', async () => {
    const roles = await withFiveRoles(schema)
    const [, worker, operator, reader] = roleKinds.map(kind => busOf(roles, kind)) as [
      CommandBus,
      CommandBus,
      CommandBus,
      CommandBus,
    ]
    const { pool: admin } = roles.database
    const put = async (n: number, replyTo: string) =>
      admin.query(`select pgmq.send('shop__commands', $1)`, [
        { command_id: `order-${n}`, command_type: 'Buy', reply_to: replyTo, data: { n } },
      ])
    const startWorker = async () => {
      const started = worker.worker({
        domain: 'shop',
        pollMs: 20,
        adoptStrangers: true,
        handlers: { Buy: data => data },
      })
      await started.start()
      return started
    }
    const ended = await startWorker()
    await put(1, 'shop_answers')
    const kept = async (count: number) =>
      until(
        async () => (await reader.strangers.list()).items,
        items => items.length === count,
      )
    expect(await kept(1)).toMatchObject([{ why: expect.stringMatching(/lacks a right.*command.?bus/) }])
    await put(2, 'shop__replies')
    await kept(2)
    await ended.stop()

    // the same role, with both kinds of rights
    const both = ['worker', 'sender'] as const
    await withClient(poolOf(roles, 'migrator'), client =>
      grant(
        client,
        both.map((kind): Grantee => ({ kind, role: roles.nameOf('worker') })),
      ),
    )
    const adopting = await startWorker()
    await put(3, 'shop_answers')
    const completed = async (count: number) =>
      until(
        () => reader.queryCommands({ domain: 'shop', status: 'COMPLETED' }),
        ({ items }) => items.length === count,
      )
    await completed(1)
    const [first, second] = (await kept(2)).toReversed()
    await expect(reader.strangers.drop({ operator: 'jim', reason: 'x' })).rejects.toThrow(/permission denied/)
    expect(await operator.strangers.adopt({ operator: 'jane', strangerIds: [first?.strangerId ?? ''] })).toMatchObject({
      failed: [],
      adopted: [{ domain: 'shop' }],
    })
    expect(
      await operator.strangers.drop({ operator: 'jane', reason: 'x', strangerIds: [second?.strangerId ?? ''] }),
    ).toEqual({ dropped: 1, nextCursor: null })
    await completed(2)
    expect(await reader.maintenance.verifyLog()).toMatchObject({ findings: [], strangers: 0 })
    await adopting.stop()
  })

  it('R15: are refused what belongs to other roles', async () => {
    const roles = await withFiveRoles(schema)
    const [sender, worker, , reader] = roleKinds.map(kind => busOf(roles, kind)) as [
      CommandBus,
      CommandBus,
      CommandBus,
      CommandBus,
    ]
    const { commandId } = await sender.send('shop', 'Buy', { secret: 1 })
    const at = schema ?? 'public'
    const refusals: readonly (readonly [role: string, sql: string])[] = [
      ['sender', `select data from ${at}.command_bus_event`],
      ['sender', `select * from ${at}.command_bus_command`],
      ['sender', `select * from pgmq.q_shop__commands`],
      ['sender', `select ${at}.command_bus_read('shop__commands', 30, 1, null)`],
      ['sender', `select ${at}.command_bus_grant_queue('shop__commands')`],
      ['sender', `insert into ${at}.command_bus_intent default values`],
      ['sender', `select * from ${at}.command_bus_streams('{credits-acme}', 0)`],
      ['worker', `select data from ${at}.command_bus_event`],
      ['worker', `update ${at}.command_bus_command set status = 'COMPLETED'`],
      ['worker', `delete from pgmq.q_shop__commands`],
      ['worker', `select ${at}.command_bus_commit_rows('{}')`],
      ['worker', `select ${at}.command_bus_settle_strangers('{1}', null, 'x', 'x')`],
      ['sender', `select ${at}.command_bus_keep_strangers('shop__commands', '{}')`],
      ['sender', `select ${at}.command_bus_remove('shop__commands', '{1}')`],
      ['operator', `delete from ${at}.command_bus_event`],
      ['operator', `update ${at}.command_bus_command set status = 'COMPLETED'`],
      ['operator', `select ${at}.command_bus_put_rows('${at}.command_bus_command', '[]', '{}')`],
      ['reader', `select ${at}.command_bus_commit('{}')`],
      ['reader', `select ${at}.command_bus_make_queue('x')`],
      ['reader', `delete from pgmq.q_shop__commands`],
    ]
    for (const [role, sql] of refusals) {
      expect([role, sql, await codeOf(poolOf(roles, role).query(sql))]).toEqual([role, sql, REFUSED])
    }
    // through the library, with the bus's own errors
    const { troubleshooting } = sender
    await expect(reader.send('shop', 'Buy', {})).rejects.toThrow(
      /permission denied for function command_bus_\w+.*commandbus grants/,
    )
    await expect(worker.send('shop', 'Buy', {})).rejects.toThrow(/may not append "?CommandSent"?.*commandbus grants/)
    await expect(troubleshooting.list({})).rejects.toThrow(/permission denied for .*command_bus_(command|event)/)
    await expect(reader.cancel('shop', commandId, {})).rejects.toThrow(/permission denied/)
    // these roles have no rights on queues of other programs in pgmq
    await poolOf(roles, 'migrator').query(`select pgmq.create('of_others')`)
    for (const sql of [
      `select * from command_bus_read('of_others', 30, 1, null)`,
      `select command_bus_archive('of_others', '{1}')`,
      `select command_bus_keep_strangers('of_others', '{"1": "x"}')`,
      `select command_bus_remove('of_others', '{1}')`,
      `select command_bus_share_queue('of_others')`,
      `select command_bus_hand_back('of_others', '{1}', '{1}', '0', true)`,
    ]) {
      expect(await codeOf(poolOf(roles, 'worker').query(sql))).toBe('22023')
    }
  })

  it('G1: a worker keeps a reply that has no queue, a reader lists it, an operator delivers it', async () => {
    const roles = await withFiveRoles(schema)
    const [sender, worker, reader, operator] = [
      busOf(roles, 'sender'),
      busOf(roles, 'worker'),
      busOf(roles, 'reader'),
      busOf(roles, 'operator'),
    ]
    const working = worker.worker({ domain: 'shop', pollMs: 100, handlers: { Buy: () => ({ bought: true }) } })
    await working.start()
    await sender.send('shop', 'Buy', {}, { replyTo: 'shop__replies' })
    const migrator = poolOf(roles, 'migrator')
    await until(
      async () => (await migrator.query('select from pgmq.q_shop__replies')).rowCount,
      count => count === 1,
    )
    await migrator.query(`select pgmq.drop_queue('shop__replies')`)
    await migrator.query('create view pgmq.q_shop__replies as select 1 as nothing')
    await sender.send('shop', 'Buy', {}, { replyTo: 'shop__replies' })
    const { items } = await until(
      () => reader.replies.undelivered(),
      kept => kept.items.length === 1,
    )
    expect(items).toMatchObject([{ domain: 'shop', queue: 'shop__replies' }])
    for (const bus of [reader, worker, sender]) {
      await expect(bus.replies.deliverAgain({ operator: 'jane' })).rejects.toThrow(/permission denied/)
    }
    expect(await operator.replies.deliverAgain({ operator: 'jane', to: 'rescued' })).toEqual({
      delivered: 1,
      failed: [],
    })

    for (const bus of [reader, worker, sender]) {
      await expect(bus.pause({ domain: 'shop', reason: 'x' })).rejects.toThrow(/permission denied|may not/)
    }
    const { pauseId } = await operator.pause({ domain: 'shop', commandType: 'Buy', reason: 'x' })
    expect(await reader.pauses()).toMatchObject([{ pauseId }])
    await until(
      async () => working.health().reasons,
      reasons => reasons.includes('some types or tenants of the domain are paused'),
    )
    await sender.send('shop', 'Buy', {})
    const aside = async () => (await migrator.query('select from command_bus_paused_message')).rowCount
    await until(aside, count => count === 1)
    await operator.resume(pauseId)
    await until(aside, count => count === 0)
    await working.stop()
  })

  it('R15: a unit of work is refused if it does more than its role may', async () => {
    const roles = await withFiveRoles(schema)
    const { commandId } = await busOf(roles, 'sender').send('shop', 'Buy', {})
    const stream = `command-shop-${commandId}`
    const event = (type: string) => ({ event: 0, stream, revision: 1, id: commandId, type, data: {}, meta: {} })
    const units: readonly (readonly [role: string, unit: object])[] = [
      ['sender', { events: [event('CommandCompleted')] }],
      ['sender', { events: [event('OperatorRetried')] }],
      ['sender', { events: [{ ...event('CommandSent'), stream: 'credits-42' }] }],
      ['sender', { events: [event('CommandSent')], messages: [{ queue: 'of_others', events: [0], bodies: [{}] }] }],
      ['sender', { events: [event('CommandSent')], replies: [{ queue: 'shop__commands', events: [0], bodies: [{}] }] }],
      [
        'worker',
        {
          events: [event('CommandCompleted')],
          careful: true,
          replies: [{ queue: 'a--b', events: [0], bodies: [{ domain: 'shop', command_id: randomUUID() }] }],
        },
      ],
      [
        'sender',
        {
          events: [event('CommandSent')],
          acks: [{ queue: 'shop__commands', op: 'delete', events: [0], msgIds: ['1'] }],
        },
      ],
      [
        'sender',
        { events: [], moves: [{ domain: 'shop', command_id: commandId, after: 0, revision: 9, status: 'COMPLETED' }] },
      ],
      ['worker', { events: [event('OperatorCompleted')] }],
      ['worker', { events: [event('CommandSent')] }],
      [
        'worker',
        { events: [event('CommandFailed')], acks: [{ queue: 'of_others', op: 'delete', events: [0], msgIds: ['1'] }] },
      ],
      [
        'worker',
        {
          events: [event('CommandReceived')],
          lanes: [{ event: 0, op: 'enter', domain: 'shop', command_id: commandId, lane: 'a', queue: 'of_others' }],
        },
      ],
    ]
    const before = await roles.database.pool.query(`select count(*) from ${schema ?? 'public'}.command_bus_event`)
    for (const [role, unit] of units) {
      const answer = codeOf(poolOf(roles, role).query('select command_bus_commit($1::jsonb)', [JSON.stringify(unit)]))
      expect([role, unit, await answer]).toEqual([role, unit, REFUSED])
    }
    const after = await roles.database.pool.query(`select count(*) from ${schema ?? 'public'}.command_bus_event`)
    expect(after.rows).toEqual(before.rows)
  })
})

describe('a command that was put off', () => {
  it('F1: by a role that operates; one that only sends is refused, and can still cancel it', async () => {
    const roles = await withFiveRoles()
    const sender = busOf(roles, 'sender')
    const { commandId } = await sender.send(
      'shop',
      'Buy',
      {},
      { delaySeconds: 3_600, expiresInSeconds: 7_200, priority: 'high' },
    )
    const later = { delaySeconds: 1_800 }
    await expect(sender.reschedule('shop', commandId, later)).rejects.toThrow(
      /lacks a right this needs: role .* may not append CommandRescheduled/,
    )
    const moved = await busOf(roles, 'operator').reschedule('shop', commandId, later)
    expect(moved).toMatchObject({ status: 'PENDING', revision: 1 })
    await sender.cancel('shop', commandId)
    expect(await busOf(roles, 'reader').maintenance.verifyLog()).toMatchObject({ findings: [] })
  })

  it('F3: a command expires by a role that only works', async () => {
    const roles = await withFiveRoles()
    const { commandId } = await busOf(roles, 'sender').send(
      'shop',
      'Buy',
      {},
      { expiresInSeconds: 0.05, replyTo: 'answers' },
    )
    const worker = busOf(roles, 'worker').worker({ domain: 'shop', handlers: { Buy: () => expect.unreachable() } })
    await until(
      async () =>
        (await roles.database.pool.query('select from command_bus_command where expires_at <= now()')).rowCount,
      count => count === 1,
    )
    await worker.start()
    const reader = busOf(roles, 'reader')
    await until(
      () => reader.getCommand('shop', commandId),
      found => found?.status === 'CANCELED',
    )
    await worker.stop()
    expect(await reader.maintenance.verifyLog()).toMatchObject({ findings: [] })
  })
})

describe('the commits of a role that only sends', () => {
  it('G4: may be any send and cancel of the library', async () => {
    const roles = await withFiveRoles()
    const sender = busOf(roles, 'sender')
    const about = {
      replyTo: 'answers',
      causationId: 'c',
      tenantId: 't',
      ownerId: 'o',
      parentCommandId: randomUUID(),
      retryCount: 3,
    }
    const policy = { maxAttempts: 100, backoffSeconds: [0, 0.5, 2_592_000], jitter: 0.25, onExhausted: 'fail' } as const
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    const full = await sender.send(
      'shop.sub-a',
      'Buy:1',
      { a: null, b: [null, 1e-7, '\u2028'] },
      { ...about, ...policy, traceparent },
    )
    const bare = await sender.send('shop', 'Buy', null)
    const batch = Array.from({ length: 300 }, (_, i) => ({
      ...(i % 2 ? about : {}),
      commandType: 'Buy',
      data: i,
      commandId: randomUUID(),
    }))
    await sender.sendBatch('shop', [...batch, ...batch])
    await Promise.all(['a', 'b', 'a.c', 'a', bare.domain].map(domain => sender.send(domain, 'Buy', { domain }, about)))
    await sender.cancel('shop.sub-a', full.commandId, { reason: 'no "more"' })
    await sender.cancel('shop', bare.commandId, {})
    // in lanes, of keys and of rules
    await busOf(roles, 'operator').limits.set('shop.sub-a', 'all', { by: 'tenant', width: 1 })
    const soon = new Date(Date.now() + 3_600_000)
    const keyed = await sender.send('shop.sub-a', 'Buy', {}, { key: 'k', priority: 'high', runAt: soon })
    const ruled = await busOf(roles, 'sender').send('shop.sub-a', 'Buy', {}, { tenantId: 't' })
    await sender.sendBatch(
      'shop',
      [1, 2].map(data => ({ commandType: 'Buy', data, key: 'k' })),
    )
    await sender.cancel('shop.sub-a', keyed.commandId, {})
    expect(await busOf(roles, 'reader').getCommand('shop.sub-a', ruled.commandId)).toMatchObject({ lane: 'all/t' })
    expect(await entriesOf(poolOf(roles, 'reader'))).toHaveLength(3)
    expect(await busOf(roles, 'reader').maintenance.verifyLog()).toMatchObject({ findings: [], commands: 311 })
  })

  it('G4: cause no finding of verify, even with units of work written by hand', async () => {
    const roles = await withFiveRoles()
    const sender = busOf(roles, 'sender')
    const pool = poolOf(roles, 'sender')
    const other = await sender.send('shop', 'Buy', {}, { replyTo: 'answers' })
    const running = await sender.send('shop', 'Buy', {})
    const stream = `command-shop-${running.commandId}`
    const worker = createCommandStore(poolOf(roles, 'worker'))
    await worker.append([receiving(stream, 0, 1)])
    const send = () => unitOf([sending('shop')])
    const cancel = (of = other.commandId, revision = 1) => {
      const event = { type: 'CommandCanceled', reason: null, at: '2026-01-02T03:04:05.678Z', actor: 'mallory' } as const
      const context = {
        commandType: 'Buy',
        correlationId: of === other.commandId ? other.correlationId : running.correlationId,
        causationId: null,
        tenantId: null,
      }
      const replyTo = of === other.commandId ? 'answers' : null
      return unitOf([
        {
          stream: `command-shop-${of}`,
          expected: revision - 1,
          events: [{ id: randomUUID(), event, context: { ...context, replyTo } }],
        },
      ])
    }
    const changed = (unit: Unit, path: string, to: unknown): Unit => {
      const copy = structuredClone(unit)
      const names = path.split('.')
      const last = names.pop() as string
      const parent = names.reduce((at, name) => at[name] as Record<string, unknown>, copy as Record<string, unknown>)
      if (to === undefined) delete parent[last]
      else parent[last] = to
      return copy
    }
    const inLane = (unit: Unit, part: object): Unit => ({
      ...unit,
      lanes: [{ event: 0, domain: 'shop', command_id: randomUUID(), lane: 'a', ...part }],
    })
    const two = unitOf([sending('shop'), sending('shop')])
    const crafted: readonly (readonly [what: string, unit: Unit])[] = [
      ['a row with another status', changed(send(), 'rows.0.status', 'COMPLETED')],
      ['a row of another tenant', changed(send(), 'rows.0.tenant_id', 'acme')],
      ['a row with another type', changed(send(), 'rows.0.command_type', 'Refund')],
      ['a row without a reply queue', changed(send(), 'rows.0.revision', 7)],
      ['no row', changed(send(), 'rows', undefined)],
      ['no message', changed(send(), 'messages', undefined)],
      ['a message of another command', changed(send(), 'messages.0.bodies.0.command_id', other.commandId)],
      ['a message with other data', changed(send(), 'messages.0.bodies.0.data', { amount: 1_000_000 })],
      ['a message with a further member', changed(send(), 'messages.0.bodies.0.more', 1)],
      ['a message on another queue', changed(send(), 'messages.0.queue', 'other__commands')],
      ['two messages', changed(changed(send(), 'messages.0.events', [0, 0]), 'messages.0.bodies', [{}, {}])],
      ['an invented reply', { ...send(), replies: [{ queue: 'answers', events: [0], bodies: [{}] }] }],
      [
        'a reply in the place of a command',
        { ...send(), replies: [{ queue: 'shop__COMMANDS', events: [0], bodies: [{}] }] },
      ],
      ['an unreadable event', changed(send(), 'events.0.data', {})],
      ['an event without a policy', changed(send(), 'events.0.data.policy.backoffSeconds', [])],
      ['an event with a text for a number', changed(send(), 'events.0.data.policy.jitter', '0')],
      ['an event of another context', changed(send(), 'events.0.meta.context.tenantId', 'acme')],
      ['an event of a later version', changed(send(), 'events.0.meta.v', 9)],
      ['an event with an invalid time', changed(send(), 'events.0.meta.at', 'now')],
      ['an event without an actor', changed(send(), 'events.0.meta.actor', undefined)],
      ['a number that is not his', changed(send(), 'events.0.event', 2_000_000)],
      ['a stream with an invalid domain', changed(send(), 'events.0.stream', `command-SHOP-${randomUUID()}`)],
      ['one stream twice', changed(two, 'events.1.stream', eventOf(two).stream)],
      [
        'a second beginning',
        changed(changed(send(), 'events.0.stream', `command-shop-${other.commandId}`), 'events.0.revision', 1),
      ],
      ['another beginning behind the first', { ...send(), more: [{ ...eventOf(send()), event: 1, revision: 1 }] }],
      ['an end that leaves the message', changed(cancel(), 'current', undefined)],
      ['an end that leaves the row', changed(cancel(), 'moves', undefined)],
      ['an end that the row contradicts', changed(cancel(), 'moves.0.status', 'COMPLETED')],
      ['an end without its reply', changed(cancel(), 'replies', undefined)],
      ['an end with another reply', changed(cancel(), 'replies.0.bodies.0.outcome', 'SUCCESS')],
      ['an end with the reply somewhere else', changed(cancel(), 'replies.0.queue', 'of_others')],
      ['an end of a command that runs', cancel(running.commandId, 2)],
      ['a place in a lane that its event does not name', inLane(send(), { op: 'enter', queue: 'shop__commands' })],
      ['another command taken out of its lane', inLane(send(), { op: 'leave', command_id: other.commandId })],
      ['an end before the beginning', cancel(randomUUID(), 0)],
      [
        'a message taken away',
        { ...send(), acks: [{ queue: 'shop__commands', op: 'delete', events: [0], msgIds: [other.msgId] }] },
      ],
    ]
    for (const [what, unit] of crafted) {
      for (const call of ['command_bus_commit($1)', 'command_bus_commit_each(jsonb_build_array($1::jsonb))']) {
        expect([what, await codeOf(pool.query(`select ${call}`, [JSON.stringify(unit)]))]).toEqual([what, REFUSED])
      }
    }
    // unchanged they are sent; where another sender was faster, nothing is left behind
    for (const unit of [send(), two, cancel(), cancel(), cancel(running.commandId, 1), cancel(running.commandId, 5)]) {
      expect(await codeOf(pool.query('select command_bus_commit($1)', [JSON.stringify(unit)]))).toBe('done')
    }
    expect(await busOf(roles, 'reader').maintenance.verifyLog()).toMatchObject({
      findings: [],
      commands: 5,
      strangers: 0,
    })
  })

  it('G7: make no more than the allowed number of queues, whatever limit they name', async () => {
    const roles = await withFiveRoles()
    const pool = poolOf(roles, 'migrator')
    await pool.query(
      `create or replace function command_bus_most_queues_of_senders() returns int language sql immutable as 'select 3'`,
    )
    const sender = poolOf(roles, 'sender')
    for (const n of [1, 2, 3]) await sender.query(`select command_bus_make_queue('q${n}')`)
    expect(await codeOf(sender.query(`select command_bus_make_queue('q4')`))).toBe(REFUSED)
    const claimed = await sender.query(
      `select command_bus_claim_queues(array['q4', 'q5'], null, 1000000, 1) as refused`,
    )
    expect(claimed.rows).toEqual([{ refused: 'most' }])
    await expect(busOf(roles, 'sender').send('shop', 'Buy', {})).rejects.toMatchObject({ code: 'TOO_MANY_QUEUES' })
    await busOf(roles, 'operator').send('shop', 'Buy', {})
    await busOf(roles, 'sender').send('shop', 'Buy', {})
  })

  it('G4: nor can a worker put replies on a queue of commands, however its name is written', async () => {
    const roles = await withFiveRoles()
    const sent = await busOf(roles, 'sender').send('shop', 'Buy', {})
    const stream = `command-shop-${sent.commandId}`
    const unit = {
      ...unitOf([receiving(stream, 0, 1)]),
      replies: [{ queue: 'shop__COMMANDS', events: [0], bodies: [{ command_type: 'Buy' }] }],
    }
    expect(await codeOf(poolOf(roles, 'worker').query('select command_bus_commit($1)', [JSON.stringify(unit)]))).toBe(
      REFUSED,
    )
    const { rows } = await roles.database.pool.query('select msg_id::text from pgmq.q_shop__commands')
    expect(rows).toEqual([{ msg_id: sent.msgId }])
  })
})

type Unit = { readonly [part: string]: unknown }

const eventOf = (unit: Unit) =>
  (unit.events as readonly { readonly stream: string }[])[0] as { readonly stream: string }

const unitOf = (appends: readonly StreamAppend<CommandEvent>[]): Unit => {
  const settled = appends.map(append => ({
    append,
    from: append.expected === 'none' ? 0 : Number(append.expected) + 1,
  }))
  const projections = { row: commandRowChange, effects: outbox({ onSuccess: 'delete' }) }
  return JSON.parse(JSON.stringify(planUnit(settled, commandCodec, projections, false).unit))
}

describe('R15: pgmq that an administrator installed', () => {
  it('R15: the first send says which right on which object is missing to which role', async () => {
    const roles = await rolesDatabase()
    const { database, nameOf } = roles
    const migrator = pg.escapeIdentifier(nameOf('migrator'))
    await database.pool.query(`grant usage on schema pgmq to ${migrator}`)
    await migrate(poolOf(roles, 'migrator'))
    const bus = busOf(roles, 'migrator')
    await expect(bus.send('shop', 'Buy', {})).rejects.toThrow(
      `lacks create on schema pgmq, select on pgmq.meta, insert on pgmq.meta: let the owner of schema pgmq run \`grant usage, create on schema pgmq to ${migrator}; grant select, insert, delete on pgmq.meta to ${migrator}\``,
    )
    await letMigratorMakeQueues(roles)
    await expect(bus.send('shop', 'Buy', {})).resolves.toMatchObject({ status: 'PENDING' })
  })

  it('R15: a queue that the administrator made is named, with what to do', async () => {
    const roles = await rolesDatabase()
    await letMigratorMakeQueues(roles)
    await migrate(poolOf(roles, 'migrator'))
    await roles.database.pool.query(`select pgmq.create('shop__commands')`)
    const pool = poolOf(roles, 'migrator')
    await expect(busOf(roles, 'migrator').send('shop', 'Buy', {})).rejects.toThrow(
      /permission denied for .*q_shop__commands.*commandbus doctor/,
    )
    const { queue } = (await checkHealth(pool)).checks
    expect(queue).toMatchObject({ status: 'degraded' })
    const owner = pg.escapeIdentifier(roles.nameOf('migrator'))
    const [said = ''] = queue?.reasons ?? []
    expect(said).toContain(`alter table pgmq.q_shop__commands owner to ${owner}`)
    for (const statement of (/`(.*)`/.exec(said)?.[1] ?? '').split('; ')) await roles.database.pool.query(statement)
    await expect(busOf(roles, 'migrator').send('shop', 'Buy', {})).resolves.toMatchObject({ status: 'PENDING' })
  })

  it('R15: the grants name what only the owner of pgmq can grant, and grant nothing until then', async () => {
    const roles = await rolesDatabase()
    await letMigratorMakeQueues(roles)
    const pool = poolOf(roles, 'migrator')
    await migrate(pool)
    const role = roles.nameOf('reader')
    const apply = () => withClient(pool, client => grant(client, [{ kind: 'reader', role }]))
    await expect(apply()).rejects.toThrow(
      `grant usage on schema pgmq to "${role}"; grant select on pgmq.meta to "${role}"`,
    )
    const { rows } = await roles.database.pool.query(
      `select has_table_privilege($1, 'command_bus_command', 'select') as may`,
      [role],
    )
    expect(rows).toEqual([{ may: false }])
    await letMigratorShareThem(roles)
    await apply()
    expect((await busOf(roles, 'reader').queryCommands({})).items).toEqual([])
  })

  it('R15: unknown roles and databases without migrations are refused with a reason', async () => {
    const roles = await rolesDatabase()
    await letMigratorMakeQueues(roles)
    const pool = poolOf(roles, 'migrator')
    const statements = (role: string) => withClient(pool, client => grantStatements(client, [{ kind: 'sender', role }]))
    await expect(statements(roles.nameOf('sender'))).rejects.toThrow(/commandbus migrate/)
    await migrate(pool)
    await expect(statements('no"body; drop table x')).rejects.toThrow(
      'there is no role "no""body; drop table x": create it first, as in `create role "no""body; drop table x" login`',
    )
  })
})
