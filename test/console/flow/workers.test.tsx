import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { MissingWorkerOf, MissingWorkers } from '../../../web/src/pages/workers/MissingWorkers.tsx'
import { WorkersPage } from '../../../web/src/pages/workers/WorkersPage.tsx'
import { answering, show } from '../components/support.tsx'

const id = '00000000-0000-4000-8000-000000000001'
const worker = {
  workerId: 'worker:pay-1',
  domain: 'payments',
  status: 'live',
  host: 'box-7',
  pid: 4711,
  build: 'abc123',
  types: ['Pay', 'Refund'],
  slots: 10,
  busy: 2,
  running: [{ commandId: id, commandType: 'Pay', attempt: 2, since: '2026-01-02T03:04:05.678Z' }],
  startedAt: '2026-01-02T03:04:05.678Z',
  beatAt: '2026-01-02T03:04:05.678Z',
}
const missing = { domain: 'inventory', commandType: null, pending: 7, since: worker.beatAt, oldestSeconds: 1_145 }

const answerWith = (items: readonly object[], unhandled: readonly object[]) =>
  answering(({ path }) => [200, { items: path.startsWith('/workers/missing') ? unhandled : items }])

test('O8: the page shows each worker, its build and slots, and links to what it runs', async () => {
  answerWith([worker, { ...worker, workerId: 'worker:old', status: 'lost', types: ['*'], running: [] }], [missing])
  show(<WorkersPage />)
  const link = await screen.findByRole('link', { name: new RegExp(`Pay ${id}`) })
  expect(link.getAttribute('href')).toBe(`/commands/payments/${id}`)
  expect(screen.getAllByText('box-7, process 4711')).toHaveLength(2)
  expect(screen.getAllByText('abc123')).toHaveLength(2)
  expect(screen.getAllByText('2 of 10')).toHaveLength(2)
  expect(screen.getByText('and 1 more')).toBeTruthy()
  expect(screen.getByText('2 running')).toBeTruthy()
  expect(screen.getByText('Lost')).toBeTruthy()
  expect(screen.getByText('every type')).toBeTruthy()
  expect(screen.getByText('No worker for inventory: 7 pending, oldest 19 min')).toBeTruthy()
})

test('O8: what no worker is there for is named in red', async () => {
  answerWith([], [missing, { ...missing, commandType: 'Fax', pending: 1_000, oldestSeconds: 7_300 }])
  show(<MissingWorkers />)
  const line = await screen.findByRole('link', { name: 'No worker for inventory: 7 pending, oldest 19 min' })
  expect(line.getAttribute('href')).toBe('/commands?status=PENDING&domain=inventory')
  const ofType = screen.getByText('No worker for type Fax in inventory: 1,000 or more pending, oldest 2 h')
  expect(ofType.getAttribute('href')).toBe('/commands?status=PENDING&domain=inventory&commandType=Fax')
})

test('O8: it says nothing if there is a worker for everything', async () => {
  answerWith([], [])
  show(<WorkersPage />)
  await screen.findByText('No worker was heard of')
  expect(screen.queryByRole('list', { name: 'No worker' })).toBeNull()
})

test('O8: the page of a pending command says that nobody handles it', async () => {
  answerWith([], [{ ...missing, commandType: 'Fax' }])
  show(
    <>
      <MissingWorkerOf domain="inventory" commandType="Fax" />
      <MissingWorkerOf domain="inventory" commandType="Count" />
    </>,
  )
  expect((await screen.findAllByRole('status')).map(one => one.textContent)).toEqual([
    'No worker for type Fax in inventory: 7 pending, oldest 19 min. It waits until a worker starts.',
  ])
})
