import * as t from 'io-ts'
import { expect, test } from 'vitest'
import { defineHandler } from '../../../src/index.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { createTestApi } from '../../support/http.ts'
import { parked } from '../../support/park.ts'
import { expectFaults, expectProblem } from '../../support/problem.ts'

test('O2: over HTTP a dry run shows what would be done to one command or many, and an edited payload must be valid', async () => {
  const api = await createTestApi()
  const id = await parked(api, 'payments', { amount: 5 }, { replyTo: 'shop__replies' })
  const payload = t.type({ amount: t.number })
  api.bus.worker({
    domain: 'payments',
    handlers: { Charge: defineHandler({ payload, rehearsable: true, handle: () => 1 }) },
  })
  const token = await api.token(['OPERATOR'])
  const post = (path: string, body: object) => api.request('POST', path, { token, body })
  const act = (action: string, body: object) => post(`/domains/payments/commands/${id}/${action}`, body)
  const before = await fingerprint(api.pool)

  const retry = await act('retry', { data: { amount: 6 }, dryRun: true })
  expect([retry.status, retry.body]).toEqual([
    200,
    {
      commandId: id,
      status: 'PENDING',
      msgId: null,
      planToken: expect.any(String),
      dryRun: expect.objectContaining({
        from: 'IN_TROUBLESHOOTING_QUEUE',
        to: 'PENDING',
        events: ['OPERATOR_RETRY'],
        messages: [{ queue: 'payments__commands', archivedMsgId: '1', data: { amount: 6 } }],
        replies: [],
      }),
    },
  ])
  const cancel = await act('cancel', { reason: 'gone', dryRun: true })
  expect(cancel.body.dryRun.replies).toMatchObject([{ queue: 'shop__replies', body: { outcome: 'CANCELED' } }])
  expect((await act('complete', { dryRun: true })).body).toMatchObject({
    status: 'COMPLETED',
    dryRun: { to: 'COMPLETED' },
  })
  const many = await post('/troubleshooting/actions/dry-run', { action: 'retry', filter: { domain: 'payments' } })
  const exactly = { action: 'retry', filter: { domain: 'payments' }, planToken: many.body.planToken }
  const changed = await post('/troubleshooting/actions', { ...exactly, filter: { domain: 'elsewhere' } })
  expectProblem(changed, 409, 'PLAN_CHANGED', 'other options')
  expect(many.body).toMatchObject({ total: 1, decided: 1, would: 1, blocked: 0, samples: [{ commandId: id }] })

  for (const body of [{ data: { amount: '6' } }, { data: { amount: '6' }, dryRun: true }]) {
    expectFaults(await act('retry', body), 'body.data.amount')
  }
  expectFaults(await act('rehearse', { data: {} }), 'body.data.amount')
  expectFaults(await act('retry', { dryRun: 'yes' }), 'dryRun')
  expect(await fingerprint(api.pool)).toEqual(before)

  await api.bus.troubleshooting.snooze('payments', id, {
    operator: 'joe',
    until: new Date(Date.now() + 60_000).toISOString(),
  })
  for (const answer of [
    await act('retry', { data: { amount: 6 }, planToken: retry.body.planToken }),
    await post('/troubleshooting/actions', exactly),
  ]) {
    expectProblem(answer, 409, 'PLAN_CHANGED', 'nothing was done')
    expect(answer.body.changes).toEqual([{ domain: 'payments', commandId: id, change: 'moved' }])
  }
})
