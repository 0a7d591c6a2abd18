import { describe, expect, test } from 'vitest'
import { replyQueuesOf } from '../../../src/application/access/reply-queues.ts'
import { createCommandBus } from '../../../src/index.ts'
import { readConfig } from '../../../src/infrastructure/settings/config.ts'
import { createTestApi, type TestApi } from '../../support/http.ts'
import { expectProblem } from '../../support/problem.ts'
import { useProgram } from '../../support/servers/cli.ts'

const send = async (api: TestApi, replyTo: string, tenant?: string) =>
  api.request('POST', '/domains/payments/commands', {
    token: await api.token(['SENDER'], tenant === undefined ? {} : { tenant }),
    body: { commandType: 'Charge', data: {}, replyTo },
  })

describe('G1: a reply queue is refused when the command is sent', () => {
  test.each([
    'a--b',
    'demo__commands_vt_idx',
    'demo__replies_pkey',
    'x_msg_id_seq',
    'x_msg_id_seq1',
    'A',
    "a'b",
    'a b',
    'x'.repeat(48),
  ])('whose name can never be a queue: %s', async queue => {
    const api = await createTestApi()
    expectProblem(await send(api, queue), 400, 'INVALID_REQUEST', /replyTo/)
    await expect(api.bus.send('payments', 'Charge', {}, { replyTo: queue })).rejects.toThrow('replyTo')
    expect((await api.bus.queryCommands()).items).toEqual([])
  })

  test('that is for commands, over HTTP and in the library', async () => {
    const api = await createTestApi()
    for (const queue of ['payments__commands', 'demo__commands', 'nobody__commands']) {
      expectProblem(await send(api, queue), 400, 'REPLY_QUEUE_REFUSED', /for commands/)
      await expect(api.bus.send('payments', 'Charge', {}, { replyTo: queue })).rejects.toMatchObject({
        code: 'REPLY_QUEUE_REFUSED',
      })
    }
    expect((await api.bus.queryCommands()).items).toEqual([])
  })

  test('that belongs to another tenant, in a single send or a batch', async () => {
    const api = await createTestApi()
    expect((await send(api, 't_t1__replies', 't1')).status).toBe(202)
    expect((await send(api, 'shop__replies')).status).toBe(202)
    for (const [queue, tenant] of [
      ['t_t1__replies', 't2'],
      ['t_t1__replies', undefined],
      ['shop__replies', 't1'],
    ] as const) {
      expectProblem(await send(api, queue, tenant), 400, 'REPLY_QUEUE_REFUSED')
    }
    const batch = await api.request('POST', '/domains/payments/commands/batch', {
      token: await api.token(['SENDER'], { tenant: 't2' }),
      body: {
        commands: [
          { commandType: 'A', data: 1 },
          { commandType: 'A', data: 1, replyTo: 't_t1__replies' },
        ],
      },
    })
    expectProblem(batch, 400, 'REPLY_QUEUE_REFUSED')
    expect((await api.bus.queryCommands()).items).toHaveLength(2)
  })

  test('that is not in the configured list', async () => {
    const api = await createTestApi({}, { replyQueues: ['shop__replies', '{tenant}__replies', 'open_*'] })
    for (const [queue, tenant, status] of [
      ['shop__replies', 't1', 202],
      ['shop__replies', undefined, 202],
      ['t1__replies', 't1', 202],
      ['t1__replies', 't2', 400],
      ['t1__replies', undefined, 400],
      ['open_for_all', 't2', 202],
      ['other', undefined, 400],
    ] as const) {
      expect([queue, tenant, (await send(api, queue, tenant)).status]).toEqual([queue, tenant, status])
    }
  })
})

test('G1: no queue belongs to two tenants, whatever their names', () => {
  const tenants = ['a', 'a_', 'a__b', 'b', '_b', 'a__b__c', 'a_b', '*', 'a*', '.', 'A', '{tenant}', '$&']
  const queues = tenants.flatMap(one => ['x', '_x', 'x__y', 'b__x', ''].map(rest => `t_${one}__${rest}`))
  for (const patterns of [undefined, ['t_{tenant}__*'], ['{tenant}__replies'], ['replies_{tenant}'], ['t_{tenant}']]) {
    const mayReplyTo = replyQueuesOf(patterns)
    const more = tenants.flatMap(one => [`${one}__replies`, `replies_${one}`, `t_${one}`])
    for (const queue of [...queues, ...more]) {
      const owners = tenants.filter(tenant => mayReplyTo(queue, tenant))
      expect([patterns, queue, owners.length <= 1, owners]).toEqual([patterns, queue, true, owners])
    }
  }
  expect(replyQueuesOf(undefined)('t_a__x', 'a')).toBe(true)
})

test.each(['a b', 'x,{tenant}y', '{tenant}_*', '{Tenant}__x', '*{tenant}', "'; drop"])(
  'G1: a list with an invalid pattern is refused at the start: %s',
  text => {
    expect(() => readConfig({ COMMANDBUS_REPLY_QUEUES: text })).toThrow(/COMMANDBUS_REPLY_QUEUES/)
    const databaseUrl = 'postgres://127.0.0.1/nobody-connects'
    expect(() => createCommandBus({ databaseUrl, replyQueues: text.split(',') })).toThrow('replyQueues: must be')
  },
)

describe('G14: `replies read`', () => {
  const program = useProgram()
  test('refuses a queue of commands, and removes nothing from it', async () => {
    const api = await createTestApi()
    await api.bus.send('demo', 'X', {})
    for (const flags of [[], ['--keep']]) {
      const answer = await program.run(['replies', 'read', 'demo__commands', ...flags, '--json'], {
        env: { DATABASE_URL: api.database.url },
      })
      expect(answer.code).not.toBe(0)
      expect(answer.json().error).toMatchObject({ code: 'REPLY_QUEUE_REFUSED' })
    }
    expect(await api.messages('demo__commands')).toMatchObject([{ read_ct: 0 }])
  })
})

test('G1: a name of any length is checked quickly, whatever the list', async () => {
  const api = await createTestApi({}, { replyQueues: ['app-*-replies-*', '{tenant}__*x*'] })
  const endless = `app-${'-replies-'.repeat(20_000)}!`
  const others = Promise.all([endless, `t1__${'x'.repeat(200_000)}!`].map(queue => send(api, queue, 't1')))
  const started = performance.now()
  for (const answer of await others) {
    expect(answer.status).toBe(400)
    expect(JSON.stringify(answer.body).length).toBeLessThan(2_000)
  }
  expect(performance.now() - started).toBeLessThan(5_000)
})
