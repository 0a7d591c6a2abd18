import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { ParkedList } from '../../../web/src/pages/troubleshooting/ParkedList.tsx'
import { answering, show } from './support.tsx'

const item = (n: number, snoozedUntil: string | null) => ({
  domain: 'payments',
  commandId: `00000000-0000-4000-8000-00000000000${n}`,
  commandType: `Charge${n}`,
  attempts: 1,
  maxAttempts: 3,
  parkedReason: 'PERMANENT',
  snoozedUntil,
  lastErrorType: 'PERMANENT',
  lastErrorCode: 'CARD_DECLINED',
  lastErrorMsg: 'declined',
  correlationId: 'c',
  replyTo: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  payload: {},
})

test('the list marks what is snoozed now, and not what was', async () => {
  const ahead = new Date(Date.now() + 3_600_000).toISOString()
  const items = [item(1, ahead), item(2, '2020-01-01T00:00:00.000Z'), item(3, null)]
  answering(() => [200, { items, nextCursor: null, total: 3 }])
  show(<ParkedList />)
  await screen.findByText('Charge3')
  const marks = screen.getAllByText(/Snoozed until/)
  expect(marks.map(({ textContent }) => textContent)).toEqual([`Snoozed until ${new Date(ahead).toLocaleString()}`])
})
