import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { dateText } from '../../../web/src/components/time/clock.ts'
import { CommandFacts } from '../../../web/src/pages/commands/CommandFacts.tsx'
import { ParkedList } from '../../../web/src/pages/troubleshooting/ParkedList.tsx'
import { answering, asked, show } from './support.tsx'

const item = (n: number, snoozedUntil: string | null) => ({
  domain: 'payments',
  commandId: `00000000-0000-4000-8000-00000000000${n}`,
  commandType: `Charge${n}`,
  attempts: 1,
  maxAttempts: 3,
  parkedReason: 'PERMANENT',
  snoozedUntil,
  assignee: null,
  tags: [],
  notes: 0,
  lastErrorType: 'PERMANENT',
  lastErrorCode: 'CARD_DECLINED',
  lastErrorMsg: 'declined',
  correlationId: 'c',
  replyTo: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  parkedAt: '2026-01-01T00:00:00.000Z',
  payload: {},
})

test('the list marks commands that are snoozed now, and not those that were', async () => {
  const ahead = new Date(Date.now() + 3_600_000).toISOString()
  const items = [item(1, ahead), item(2, '2020-01-01T00:00:00.000Z'), item(3, null)]
  answering(() => [200, { items, nextCursor: null, total: 3 }])
  show(<ParkedList />)
  await screen.findByText('Charge3')
  const marks = screen.getAllByText(/Snoozed until/)
  expect(marks.map(({ textContent }) => textContent)).toEqual([`Snoozed until ${dateText(ahead)}`])
})

test.each([
  ['', true],
  ['?snoozed=false', false],
])('with the conditions "%s" an action on all that match is offered: %s', async (search, offered) => {
  history.replaceState(null, '', `/troubleshooting${search}`)
  answering(() => [200, { items: [item(1, null)], nextCursor: null, total: 3 }])
  show(<ParkedList />)
  await userEvent.click(await screen.findByRole('checkbox', { name: /Select Charge1/ }))
  expect(asked().every(({ path }) => path.includes('snoozed=false') !== offered)).toBe(true)
  expect(screen.queryByText(/Select all/) !== null).toBe(offered)
})

test('the page of a command says until when it is snoozed', () => {
  const until = '2030-01-01T00:00:00.000Z'
  show(<CommandFacts command={{ ...item(1, until), parentCommandId: null, causationId: null } as never} />)
  expect(screen.getByText('Snoozed until')).toBeTruthy()
})
