import { randomUUID } from 'node:crypto'
import type { Pool } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NewEvent, StreamAppend } from '../../src/application/ports/event-store.ts'
import type { CommandEvent } from '../../src/domain/command/events.ts'
import { type CommandBus, createCommandBus } from '../../src/index.ts'
import { commandCodec } from '../../src/infrastructure/codec/command-codec.ts'
import { withClient } from '../../src/infrastructure/postgres/connection/with-client.ts'
import { grant, roleKinds } from '../../src/infrastructure/postgres/rights/grants.ts'
import { migrate } from '../../src/infrastructure/postgres/schema/migrate.ts'
import { createPool } from '../../src/infrastructure/postgres/transactions/pool.ts'
import { verifyLog } from '../../src/infrastructure/proof/verification/verify.ts'
import { until } from '../support/bus.ts'
import { receiving, sending } from '../support/lives/command-store.ts'
import { createBusStore, refuseDocuments } from '../support/lives/commit-lanes.ts'
import { createRolesDatabase, type RolesDatabase } from '../support/roles.ts'

const cleanUps: (() => unknown)[] = []
let roles: RolesDatabase
let admin: Pool

const poolOf = (role: string): Pool => {
  const pool = createPool(roles.urlOf(role), 4)
  cleanUps.push(() => pool.end())
  return pool
}

const busOf = (role: string): CommandBus => {
  const bus = createCommandBus({ databaseUrl: roles.urlOf(role) })
  cleanUps.push(() => bus.close())
  return bus
}

/** One role of each kind, and `both`, which sends and works. The migrator owns pgmq's schema. */
beforeEach(async () => {
  roles = await createRolesDatabase(['migrator', ...roleKinds, 'both'])
  cleanUps.push(roles.drop)
  admin = roles.database.pool
  const owner = `"${roles.nameOf('migrator')}"`
  await admin.query(`grant usage, create on schema pgmq to ${owner} with grant option;
    grant select, insert, delete on pgmq.meta to ${owner} with grant option`)
  const pool = poolOf('migrator')
  await migrate(pool)
  const single = roleKinds.map(kind => ({ kind, role: roles.nameOf(kind) }))
  const both = (['sender', 'worker'] as const).map(kind => ({ kind, role: roles.nameOf('both') }))
  await withClient(pool, client => grant(client, [...single, ...both]))
})
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { readonly code?: string; readonly cause?: { readonly code?: string } }) => error.cause?.code ?? error.code,
  )

const counts = async () => {
  const { rows } = await admin.query(
    `select (select count(*) from command_bus_event)::int as events, (select count(*) from command_bus_command)::int as rows,
       (select count(*) from pgmq.q_shop__commands)::int as messages`,
  )
  return rows[0]
}

/** Lists as somebody passes them to the functions by hand; a text is an array in PostgreSQL's own form. */
type Lists = Readonly<Record<string, readonly unknown[] | string | null>>

const sentTypes = { domains: 'text', ids: 'uuid', event_ids: 'uuid', data: 'jsonb', meta: 'jsonb' }
const reportTypes = {
  domains: 'text',
  ids: 'uuid',
  revisions: 'bigint',
  event_ids: 'uuid',
  types: 'text',
  data: 'jsonb',
  meta: 'jsonb',
  more_of: 'int',
  more_ids: 'uuid',
  more_types: 'text',
  more_data: 'jsonb',
  more_meta: 'jsonb',
  heads: 'bigint',
  statuses: 'text',
  attempt_counts: 'int',
  total_counts: 'int',
  leases: 'timestamptz',
  next_attempts: 'timestamptz',
  parked: 'timestamptz',
  parked_reasons: 'text',
  error_types: 'text',
  error_codes: 'text',
  error_messages: 'text',
  error_frames: 'text',
  updated: 'timestamptz',
  acks: 'text',
  msg_ids: 'bigint',
  waits: 'float8',
  reply_queues: 'text',
  reply_bodies: 'jsonb',
}

const call = async (pool: Pool, name: 'sent' | 'reports', lists: Lists): Promise<unknown> => {
  const types = name === 'sent' ? sentTypes : reportTypes
  const given = Object.entries(types).map(([list, type], i) => `${list} => $${i + 1}::${type}[]`)
  const values = Object.keys(types).map(list => lists[list] ?? null)
  const { rows } = await pool.query(`select command_bus_commit_${name}(${given.join(', ')}) as answer`, values)
  return rows[0].answer
}

/** The error's code, or `lost`: the function says that it did nothing. */
const refusalOf = async (answer: Promise<unknown>): Promise<unknown> => {
  const nothing = answer.then(said => (said === false || (Array.isArray(said) && said.length === 0) ? 'lost' : 'done'))
  const code = await codeOf(nothing)
  return code === 'done' ? nothing : code
}

const at = '2026-01-02T03:04:05.678Z'

const encoded = ({ events }: StreamAppend<CommandEvent>) => {
  const { event, context } = events[0] as NewEvent<CommandEvent>
  const { data, meta } = commandCodec.encode(event, context)
  return { data: JSON.stringify(data), meta: JSON.stringify(meta) }
}

const sends = (n = 1) => {
  const events = Array.from({ length: n }, () => encoded(sending('shop')))
  return {
    domains: events.map(() => 'shop'),
    ids: events.map(() => randomUUID()),
    event_ids: events.map(() => randomUUID()),
    data: events.map(({ data }) => data),
    meta: events.map(({ meta }) => meta),
  }
}

const reportsOn = (ids: readonly string[]) => {
  const each = <A>(value: A): readonly A[] => ids.map(() => value)
  const events = ids.map(id => encoded(receiving(`command-shop-${id}`, 0, 1)))
  return {
    domains: each('shop'),
    ids,
    revisions: each(1),
    event_ids: ids.map(() => randomUUID()),
    types: each('CommandReceived'),
    data: events.map(({ data }) => data),
    meta: events.map(({ meta }) => meta),
    heads: each(1),
    statuses: each('IN_PROGRESS'),
    attempt_counts: each(1),
    total_counts: each(1),
    leases: each('2026-01-02T03:04:35.678Z'),
    updated: each(at),
  }
}

describe('columns and roles', () => {
  it('R15: a role that only sends commits documents, also in its own transaction, and nobody notices', async () => {
    const sender = busOf('sender')
    await sender.send('shop', 'Buy', {})
    await sender.sendBatch(
      'shop',
      Array.from({ length: 5 }, () => ({ commandType: 'Buy', data: {} })),
    )
    await withClient(poolOf('sender'), async client => {
      await client.query('begin')
      await sender.send('shop', 'Buy', {}, { client })
      await client.query('commit')
    })
    const before = await counts()
    expect(before).toEqual({ events: 7, rows: 7, messages: 7 })
    // by hand: it is told to send a document, and nothing is done
    expect(await call(poolOf('sender'), 'sent', sends())).toBeNull()
    expect(await call(poolOf('sender'), 'reports', reportsOn([randomUUID()]))).toBeNull()
    expect(await counts()).toEqual(before)
    expect((await verifyLog(admin)).findings).toEqual([])
  })

  it('R15: roles that work, that send and work, and that operate commit columns', async () => {
    const [worker, both, operator] = [busOf('worker'), busOf('both'), busOf('operator')]
    await busOf('sender').send('shop', 'Buy', {})
    await refuseDocuments(poolOf('migrator'))
    for (const bus of [both, operator]) {
      await bus.send('shop', 'Buy', {}, { replyTo: 'answers' })
      await bus.sendBatch('shop', [
        { commandType: 'Buy', data: {} },
        { commandType: 'Buy', data: {} },
      ])
    }
    for (const bus of [worker, both]) {
      const working = bus.worker({ domain: 'shop', pollMs: 20, handlers: { Buy: () => 'bought' } })
      await working.start()
      await until(
        () => admin.query(`select from command_bus_command where status <> 'COMPLETED'`),
        ({ rowCount }) => rowCount === 0,
      )
      await working.stop()
      await operator.send('shop', 'Buy', {})
    }
    expect((await verifyLog(admin)).findings).toEqual([])
  })

  it("R15: a caller's connection with fewer rights does not make the bus slower for the others", async () => {
    const both = busOf('both')
    await both.send('shop', 'Buy', {})
    await withClient(poolOf('sender'), async client => {
      await client.query('begin')
      await both.send('shop', 'Buy', {}, { client })
      await client.query('commit')
    })
    await refuseDocuments(poolOf('migrator'))
    await both.send('shop', 'Buy', {})
    expect(await counts()).toEqual({ events: 3, rows: 3, messages: 3 })
  })

  it('R15: a worker that was refused a send still reports as columns', async () => {
    const store = createBusStore(poolOf('worker'))
    const [sent] = await busOf('sender').sendBatch('shop', [{ commandType: 'Buy', data: {} }])
    expect(await codeOf(store.append([sending('shop')]))).toBe('42501')
    await refuseDocuments(poolOf('migrator'))
    const { commandId = '', msgId = '' } = sent ?? {}
    const [result] = await store.append([receiving(`command-shop-${commandId}`, 0, 1)])
    expect([result?.outcome, msgId]).toEqual(['appended', '1'])
  })

  it('R15: a role that only reads may not call them', async () => {
    expect(await codeOf(call(poolOf('reader'), 'sent', sends()))).toBe('42501')
    expect(await codeOf(call(poolOf('reader'), 'reports', reportsOn([])))).toBe('42501')
  })
})

describe('G4: lists that somebody writes by hand', () => {
  it('G4: to send are refused, and leave nothing, where they are not what the library sends', async () => {
    const pool = poolOf('both')
    await busOf('both').send('shop', 'Buy', {})
    const before = await counts()
    const two = sends(2)
    const [first, second] = two.ids
    const without = (name: string): string => {
      const data = JSON.parse(sends().data[0] as string)
      delete data[name]
      return JSON.stringify(data)
    }
    const forged: readonly (readonly [what: string, lists: Lists])[] = [
      ...['SHOP', 'Shop', '', 'shop__commands', 'shop.', "shop'; select 1", 'shop\n', null].map(
        domain => [`domain ${domain}`, { ...sends(), domains: [domain] }] as const,
      ),
      ...Object.keys(sentTypes).flatMap((list): (readonly [string, Lists])[] => {
        const all = two[list as keyof typeof two]
        return [
          [`null in ${list}`, { ...two, [list]: [all[0], null] }],
          [`${list} too short`, { ...two, [list]: all.slice(1) }],
          [`${list} too long`, { ...two, [list]: [...all, all[0]] }],
          [`no ${list}`, { ...two, [list]: null }],
        ]
      }),
      ['one command twice', { ...two, ids: [first, first] }],
      ['one command twice, the second time with other data', { ...sends(3), ids: [first, second, first] }],
      ['no type', { ...sends(), data: [without('commandType')] }],
      ['no policy', { ...sends(), data: [without('policy')] }],
      ['no correlation id', { ...sends(), data: [without('correlationId')] }],
      ['no object', { ...sends(), data: ['"text"'] }],
      ['no instant', { ...sends(), meta: ['{}'] }],
    ]
    for (const [what, lists] of forged) {
      expect([what, await refusalOf(call(pool, 'sent', lists))]).toEqual([what, expect.stringMatching(/^2[23]|lost/)])
    }
    expect(await counts()).toEqual(before)
    // as it is, it goes
    expect(await call(pool, 'sent', two)).toEqual([expect.any(String), expect.any(String)])
    expect((await verifyLog(admin)).findings).toEqual([])
  })

  it('G4: to send cannot remove messages of others, wherever their first place is', async () => {
    const [pool, bus] = [poolOf('both'), busOf('both')]
    const own = await bus.send('shop', 'Buy', {})
    await bus.sendBatch(
      'other',
      Array.from({ length: 9 }, () => ({ commandType: 'Buy', data: {} })),
    )
    // both lose; with places that count from 0, the messages of one domain could be taken for those of the other
    const { rows } = await admin.query(
      `select command_id as id from command_bus_command where domain = 'other' limit 1`,
    )
    const lists = { ...sends(2), ids: [rows[0].id, own.commandId], domains: '[0:1]={other,shop}' }
    expect(await call(pool, 'sent', lists)).toEqual([])
    expect(await counts()).toMatchObject({ messages: 1 })
    expect((await admin.query('select from pgmq.q_other__commands')).rowCount).toBe(9)
    expect((await verifyLog(admin)).findings).toEqual([])
  })

  it('G4: to report are refused, or lose, and leave nothing, where a worker could not have made them', async () => {
    const pool = poolOf('worker')
    const sender = busOf('sender')
    const sent = await sender.sendBatch(
      'shop',
      Array.from({ length: 2 }, () => ({ commandType: 'Buy', data: {} })),
    )
    const good = reportsOn(sent.map(({ commandId }) => commandId))
    const before = await counts()
    const more = (lists: Lists): Lists => ({
      ...good,
      more_of: [1],
      more_ids: [randomUUID()],
      more_types: ['CommandMovedToTroubleshooting'],
      more_data: ['{}'],
      more_meta: ['{}'],
      ...lists,
    })
    const reply = (queue: string | null): Lists => ({
      ...good,
      reply_queues: ['answers', queue],
      reply_bodies: ['{}', '{}'],
    })
    await poolOf('migrator').query(`select pgmq.create('answers')`)
    const others = [
      'CommandSent',
      'CommandCanceled',
      'OperatorRetried',
      'OperatorCompleted',
      'OperatorSnoozed',
      'CreditsGranted',
    ]
    const refused: readonly (readonly [what: string, lists: Lists])[] = [
      ...others.map(type => [type, { ...good, types: ['CommandReceived', type] }] as const),
      ...others.map(type => [`then ${type}`, more({ more_types: [type] })] as const),
      ['a type that is null', { ...good, types: ['CommandReceived', null] }],
      ['then a type that is null', more({ more_types: [null] })],
      ...['shop__commands', 'shop__COMMANDS', 'Other__Commands', null].map(
        queue => [`a reply to ${queue}`, reply(queue)] as const,
      ),
      ...['ids', 'event_ids', 'types', 'data', 'meta', 'statuses', 'updated'].flatMap(
        (list): (readonly [string, Lists])[] => {
          const all = (good as Lists)[list] as readonly unknown[]
          return [
            [`null in ${list}`, { ...good, [list]: [all[0], null] }],
            [`${list} too short`, { ...good, [list]: all.slice(1) }],
            [`no ${list}`, { ...good, [list]: null }],
          ]
        },
      ),
      ['one command twice', { ...good, ids: [good.ids[0], good.ids[0]] }],
      ['one command twice, one after the other', { ...good, ids: [good.ids[0], good.ids[0]], revisions: [1, 2] }],
      ['a second event behind a gap', more({ heads: [3, 1] })],
      ['a second event in the place of the first', more({ heads: [1, 1] })],
      ['a second event of a command that is not there', more({ more_of: [3] })],
      ['a second event of nothing', more({ more_of: [null] })],
      ['two second events', more({ ...twice, heads: [2, 1] })],
      ['places that count from 0', { ...more({ heads: [2, 1] }), ids: `[0:1]={${good.ids}}` }],
      ['heads that count from 0', { ...more({}), heads: '[0:1]={1,2}' }],
      ['lists in two dimensions', { ...more({}), heads: '{{2},{1}}' }],
    ]
    const lost: readonly (readonly [what: string, lists: Lists])[] = [
      ['a gap', { ...good, revisions: [2, 7], heads: [2, 7] }],
      ['a second beginning', { ...good, revisions: [0, 0], heads: [0, 0] }],
      ['a revision before the first', { ...good, revisions: [-1, -1], heads: [-1, -1] }],
      ['no revision', { ...good, revisions: null }],
      ['a domain that is none', { ...good, domains: ['SHOP', 'Shop'] }],
      ['commands that were never sent', { ...good, ids: [randomUUID(), randomUUID()] }],
    ]
    const all = { acks: ['delete', 'delete'], msg_ids: sent.map(({ msgId }) => msgId) }
    for (const [what, lists] of refused) {
      const refusal = await refusalOf(call(pool, 'reports', { ...lists, ...all }))
      expect([what, refusal]).toEqual([what, expect.stringMatching(/^(2[23]|P0)|lost/)])
    }
    for (const [what, lists] of lost) {
      expect([what, await call(pool, 'reports', { ...lists, ...all })]).toEqual([what, false])
    }
    expect(await counts()).toEqual(before)
    expect((await admin.query('select from pgmq.q_answers')).rowCount).toBe(0)
    expect((await verifyLog(admin)).findings).toEqual([])
    // as they are, they go; messages of other domains are out of reach
    await sender.send('other', 'Buy', {})
    expect(await call(pool, 'reports', { ...good, acks: ['delete', null], msg_ids: ['99', '1'] })).toBe(true)
    expect((await admin.query('select from pgmq.q_other__commands')).rowCount).toBe(1)
    expect((await verifyLog(admin)).findings).toEqual([])
  })
})

const twice = {
  more_of: [1, 1],
  more_ids: [randomUUID(), randomUUID()],
  more_types: ['CommandFailed', 'CommandCompleted'],
  more_data: ['{}', '{}'],
  more_meta: ['{}', '{}'],
}
