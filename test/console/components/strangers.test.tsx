import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { StrangersPage } from '../../../web/src/pages/troubleshooting/StrangersPage.tsx'
import { answering, asked, show } from './support.tsx'

const stranger = (strangerId: string, over: object = {}) => ({
  strangerId,
  domain: 'payments',
  queue: 'payments__commands',
  msgId: `10${strangerId}`,
  reads: 0,
  enqueuedAt: '2026-01-02T03:04:05.678Z',
  message: { command_type: 'Charge it!' },
  headers: null,
  why: "'Charge it!' is not a valid command type",
  foundAt: '2026-01-02T03:04:05.678Z',
  outcome: null,
  settledAt: null,
  settledBy: null,
  reason: null,
  commandId: null,
  ...over,
})

test('F13: messages of other programs are shown with the reason, and adopted with a valid type', async () => {
  let kept = [stranger('2'), stranger('1', { message: null, messageBytes: 9_000, messagePreview: '{"data": "xx' })]
  answering(({ method }) => {
    if (method === 'GET') return [200, { items: kept, nextCursor: null }]
    kept = []
    return [200, { adopted: [{ strangerId: '2', domain: 'payments', commandId: 'x' }], failed: [], nextCursor: null }]
  })
  show(<StrangersPage />)
  expect(await screen.findAllByText(/is not a valid command type/)).toHaveLength(2)
  await screen.findByText(/9000 bytes/)
  await userEvent.click(screen.getByLabelText('Select message 102'))
  await userEvent.type(screen.getByLabelText(/Command type/), ' Charge ')
  await userEvent.click(screen.getByRole('button', { name: 'Adopt 1 message' }))
  await screen.findByText('1 message adopted')
  await screen.findByText('No messages of other programs')
  expect(asked().filter(({ method }) => method === 'POST')).toEqual([
    { method: 'POST', path: '/strangers/adopt', body: { strangerIds: ['2'], commandType: 'Charge' } },
  ])
})

test('F13: without a selection all shown are dropped, and only with a reason', async () => {
  answering(({ method }) =>
    method === 'GET'
      ? [200, { items: [stranger('2'), stranger('1')], nextCursor: null }]
      : [200, { dropped: 2, nextCursor: null }],
  )
  show(<StrangersPage />)
  const drop = await screen.findByRole('button', { name: 'Drop 2 messages' })
  expect(drop).toHaveProperty('disabled', true)
  await userEvent.type(screen.getByLabelText('Reason to drop'), 'sent twice')
  await userEvent.click(drop)
  await screen.findByText('2 messages dropped')
  expect(asked().find(({ method }) => method === 'POST')).toEqual({
    method: 'POST',
    path: '/strangers/drop',
    body: { strangerIds: ['2', '1'], reason: 'sent twice' },
  })
})

test('F13: one that cannot be adopted says why', async () => {
  answering(({ method }) =>
    method === 'GET'
      ? [200, { items: [stranger('1')], nextCursor: null }]
      : [
          200,
          { adopted: [], failed: [{ strangerId: '1', domain: 'payments', reason: 'sent before' }], nextCursor: null },
        ],
  )
  show(<StrangersPage />)
  await userEvent.click(await screen.findByRole('button', { name: 'Adopt 1 message' }))
  await screen.findByText(/1 message could not be adopted: sent before/)
})
