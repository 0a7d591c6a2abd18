import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import type { CommandDetail } from '../../../web/src/api/client.ts'
import { Replies } from '../../../web/src/pages/commands/Replies.tsx'
import { RepliesPage } from '../../../web/src/pages/troubleshooting/RepliesPage.tsx'
import { answering, asked, show } from './support.tsx'

const reply = (replyId: string) => ({
  replyId,
  domain: 'payments',
  commandId: `00000000-0000-4000-8000-00000000000${replyId}`,
  tenantId: null,
  queue: 'shop__replies',
  reason: 'permission denied for table q_shop__replies',
  since: '2026-01-02T03:04:05.678Z',
  tries: 1,
  deliveredAt: null,
  deliveredBy: null,
  deliveredTo: null,
})

test('G1: replies that could not be delivered are shown, and delivered again', async () => {
  let kept = [reply('2'), reply('1')]
  answering(({ method }) => {
    if (method === 'GET') return [200, { items: kept, nextCursor: null }]
    kept = []
    return [200, { delivered: 2, failed: [] }]
  })
  show(<RepliesPage />)
  expect(await screen.findAllByText(/permission denied/)).not.toHaveLength(0)
  await userEvent.click(screen.getByRole('button', { name: 'Deliver 2 replies again' }))
  await screen.findByText('Every reply was delivered')
  await screen.findByText('2 replies delivered')
  expect(asked().filter(({ method }) => method === 'POST')).toEqual([
    { method: 'POST', path: '/replies/undelivered/deliver', body: { replyIds: ['2', '1'] } },
  ])
})

test('G1: they can go to another queue, and one that still cannot be delivered shows why', async () => {
  answering(({ method }) =>
    method === 'GET'
      ? [200, { items: [reply('1')], nextCursor: null }]
      : [200, { delivered: 0, failed: [{ ...reply('1'), reason: 'no such right' }] }],
  )
  show(<RepliesPage />)
  await userEvent.type(screen.getByLabelText(/Other queue/), ' rescued ')
  await userEvent.click(await screen.findByRole('button', { name: 'Deliver 1 reply again' }))
  await screen.findByText(/1 reply could not be delivered: no such right/)
  expect(asked().find(({ method }) => method === 'POST')?.body).toEqual({ replyIds: ['1'], to: 'rescued' })
})

test('G1: the page of a command says that its reply is kept', async () => {
  answering(() => [200, { items: [reply('1')], nextCursor: null }])
  const { domain, commandId, queue } = reply('1')
  const command = { domain, commandId, status: 'COMPLETED', replyTo: queue } as unknown as CommandDetail
  show(<Replies command={command} audit={[]} />)
  await screen.findByText(/could not be delivered to/)
  expect(asked()).toMatchObject([{ path: expect.stringContaining(commandId) }])
})
