import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createTestApi, type SharedApi } from '../../support/http.ts'
import { expectFaults } from '../../support/problem.ts'
import { footprint } from '../server/footprint.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const sendBatch = async (api: SharedApi, commands: unknown) =>
  api.request('POST', '/domains/payments/commands/batch', { token: await api.token(['SENDER']), body: { commands } })

test('each command of a batch is answered in its place', async () => {
  const api = await createTestApi()
  const [first, known] = [randomUUID(), randomUUID()]
  await api.bus.send('payments', 'Charge', {}, { commandId: known })
  const answer = await sendBatch(api, [
    { commandId: first, commandType: 'Charge', data: 1 },
    { commandId: known, commandType: 'Charge', data: 2 },
    { commandType: 'Charge', data: 3 },
    { commandId: first.toUpperCase(), commandType: 'Refund', data: 4 },
  ])
  expect([answer.status, answer.headers.get('location')]).toEqual([202, null])
  expect(answer.body).toEqual({
    results: [
      { commandId: first, outcome: 'accepted', msgId: expect.stringMatching(/^\d+$/) },
      { commandId: known, outcome: 'duplicate', msgId: null },
      { commandId: expect.stringMatching(UUID), outcome: 'accepted', msgId: expect.stringMatching(/^\d+$/) },
      { commandId: first, outcome: 'duplicate', msgId: null },
    ],
  })
  expect(await footprint(api)).toEqual({ events: 3, rows: 3, messages: 3 })
  expect(await api.bus.getCommand('payments', first)).toMatchObject({ commandType: 'Charge', data: 1 })
})

test('10,000 commands go in one batch, one more is refused as a whole', async () => {
  const api = await createTestApi()
  const commands = Array.from({ length: 10_000 }, (_, i) => ({ commandType: 'Charge', data: { amount: i } }))
  expectFaults(await sendBatch(api, [...commands, commands[0]]), 'commands')
  expect(await footprint(api)).toEqual({ events: 0, rows: 0, messages: null })
  const answer = await sendBatch(api, commands)
  expect(answer.status).toBe(202)
  expect(new Set(answer.body.results.map((result: { commandId: string }) => result.commandId)).size).toBe(10_000)
  expect(await footprint(api)).toEqual({ events: 10_000, rows: 10_000, messages: 10_000 })
})

test('R12: when only a part of a batch could be sent, the problem lists the outcome of each command', async () => {
  const api = await createTestApi()
  await api.pool.query(`
    create function refuse() returns trigger language plpgsql as $$
    begin
      if new.data->>'commandType' = 'Refused' then raise exception 'refused: %', new.data; end if;
      return new;
    end $$;
    create trigger refuse before insert on command_bus_event for each row execute function refuse();`)
  const ids = Array.from({ length: 16 }, () => randomUUID())
  const commands = ids.map((commandId, i) => ({
    commandId,
    commandType: i === 15 ? 'Refused' : 'Charge',
    data: i === 15 ? 'a secret' : 'x'.repeat(1_000_000),
  }))
  const answer = await sendBatch(api, commands)
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2'])
  expect(answer.body).toMatchObject({ status: 503, code: 'BATCH_FAILED', detail: expect.stringContaining('8 of 16') })
  expect(answer.body.results).toEqual(
    ids.map((commandId, i) =>
      i < 8
        ? { commandId, outcome: 'accepted', msgId: expect.stringMatching(/^\d+$/) }
        : { commandId, outcome: 'unsent', msgId: null },
    ),
  )
  expect(JSON.stringify(answer.body)).not.toContain('a secret')
  expect(await footprint(api)).toEqual({ events: 8, rows: 8, messages: 8 })
})

test('one invalid command, and nothing of its batch is sent', async () => {
  const api = await createTestApi()
  const good = { commandType: 'Charge', data: {} }
  expectFaults(await sendBatch(api, [good, { ...good, replyTo: 'A B' }, good]), 'commands[1].replyTo')
  expectFaults(await sendBatch(api, [good, 5]), 'commands[1]')
  expectFaults(await sendBatch(api, good), 'commands')
  expectFaults(await sendBatch(api, undefined), 'commands')
  expect(await footprint(api)).toEqual({ events: 0, rows: 0, messages: null })
})

test('millions of items that are not commands cost neither time nor memory', async () => {
  const api = await createTestApi()
  const zeros = `[${'0,'.repeat(8_000_000)}0]`
  const token = await api.token(['ADMIN'])
  const named = await api.request('POST', '/troubleshooting/actions', {
    token,
    body: `{"action":"retry","ids":[${'0,'.repeat(500_000)}0]}`,
  })
  expectFaults(named, 'ids')
  const before = process.memoryUsage().rss
  for (const body of [
    `{"commands":${zeros}}`,
    `{"commands":[{"commandType":"X","data":1,"backoffSeconds":${zeros}}]}`,
  ]) {
    const answer = await api.request('POST', '/domains/payments/commands/batch', { token, body })
    expect([answer.status, answer.body.errors.length]).toEqual([400, 1])
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(600 * 1_048_576)
})

test('an empty batch sends nothing', async () => {
  const api = await createTestApi()
  expect((await sendBatch(api, [])).body).toEqual({ results: [] })
  expect(await footprint(api)).toEqual({ events: 0, rows: 0, messages: null })
})
