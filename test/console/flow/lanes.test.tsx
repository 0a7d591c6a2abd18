import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { LanesPage } from '../../../web/src/pages/lanes/LanesPage.tsx'
import { answering, asked, show } from '../components/support.tsx'

const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}`
const at = '2026-01-02T03:04:05.678Z'
const lane = {
  domain: 'shop',
  lane: 'order 1/2',
  width: 2,
  ratePerSecond: null,
  onPark: 'hold',
  limit: null,
  running: [],
  waiting: 1_000,
  waitingSince: at,
  blockedBy: { commandId: id(1), since: at, why: 'PARKED' },
}
const other = { ...lane, lane: 'b', width: null, running: [id(2)], waiting: 0, waitingSince: null, blockedBy: null }

test('F6: lanes show who runs, who waits and what blocks them, with links to the commands', async () => {
  answering(() => [200, { items: [lane, other], nextCursor: null }])
  show(<LanesPage />)
  await screen.findAllByText('order 1/2')
  expect(screen.getAllByText('Parked').length).toBeGreaterThan(0)
  expect(screen.getAllByText(/1,000 or more/).length).toBeGreaterThan(0)
  const links = screen.getAllByRole('link').map(link => link.getAttribute('href'))
  expect(links).toEqual(expect.arrayContaining([`/commands/shop/${id(1)}`, `/commands/shop/${id(2)}`]))
})

test('F6: an operator changes width, rate and what a parked command does', async () => {
  answering(({ method }) => [200, method === 'GET' ? { items: [lane], nextCursor: null } : { ...lane, width: 3 }])
  show(<LanesPage />)
  await userEvent.click((await screen.findAllByRole('button', { name: 'Change lane order 1/2' }))[0] as HTMLElement)
  const width = screen.getByLabelText(/Width/)
  await userEvent.clear(width)
  await userEvent.type(width, '3')
  await userEvent.type(screen.getByLabelText(/Rate/), '2.5')
  await userEvent.selectOptions(screen.getByLabelText(/parked/), 'pass')
  await userEvent.click(screen.getByRole('button', { name: 'Change lane' }))
  await screen.findByText('Lane order 1/2 is changed')
  expect(asked().find(({ method }) => method === 'PUT')).toEqual({
    method: 'PUT',
    path: '/domains/shop/lanes/order%201%2F2',
    body: { width: 3, ratePerSecond: 2.5, onPark: 'pass' },
  })
})
