import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { OverviewPage } from '../../../web/src/pages/overview/OverviewPage.tsx'
import { QueuePage } from '../../../web/src/pages/queues/QueuePage.tsx'
import { QueuesPage } from '../../../web/src/pages/queues/QueuesPage.tsx'
import { TypePage } from '../../../web/src/pages/types/TypePage.tsx'
import { TypesPage } from '../../../web/src/pages/types/TypesPage.tsx'
import { answering, asked, show } from '../components/support.tsx'

const AT = '2026-11-29T13:21:30.000Z'
const minute = (i: number): string => new Date(Date.parse('2026-11-29T13:07:00.000Z') + i * 60_000).toISOString()
const counted = { at: AT, behindSeconds: 0 }
const inRange = { ...counted, range: '15m', from: minute(0), bucketSeconds: 60 }
const outcomes = { sent: 0, failedAttempts: 0, completed: 0, failed: 0, parked: 0, canceled: 0 }

const statuses = { PENDING: 3, IN_PROGRESS: 0, COMPLETED: 900, FAILED: 20, CANCELED: 0, IN_TROUBLESHOOTING_QUEUE: 62 }
const stats = {
  at: AT,
  total: statuses,
  domains: [],
  throughput: Array.from({ length: 15 }, (_, i) => ({
    minute: minute(i),
    sent: 10,
    completed: i === 14 ? 1 : 9,
    failed: 0,
    parked: 1,
  })),
  queues: [],
  feed: { lagSeconds: 0, heldBack: 0, oldestWriterSeconds: 0 },
  undeliveredReplies: 0,
  oldestTransactionSeconds: 0,
}
const cause = (n: number) => ({
  domain: 'payments',
  commandType: 'Charge',
  errorCode: `CODE_${n}`,
  parked: n,
  failed: n === 1 ? 20 : 0,
  first: '2026-11-29T13:00:00.000Z',
  last: AT,
  last15m: n === 1 ? 13 : 0,
  last1h: n === 1 ? 40 : 0,
  series: [0, 0, 0, 0, 0, 0, 0, 3, 4, 10, 13, 10],
  isNew: n === 1,
  sample: 'the provider is down',
})
const type = {
  ...{ domain: 'payments', commandType: 'Charge', ...outcomes, sent: 150, completed: 140, parked: 10 },
  ...{ attempts: 160, sentPerMinute: 10, failureShare: 0.125 },
  ...{ wait: { p50Ms: 12, p95Ms: 340 }, run: { p50Ms: 80, p95Ms: 1_200 } },
  errors: [{ code: 'UPSTREAM_503', count: 10 }],
  ...{ lastSuccessAt: AT, waiting: 7, waitingSince: '2026-11-29T13:02:00.000Z', scheduled: 0, running: 2 },
}
const problems = [
  {
    ...{ kind: 'noWorker', domain: 'inventory', commandType: null, errorCode: null, queue: null, trend: null },
    ...{ since: '2026-11-29T13:02:00.000Z', count: 7, sentence: 'no worker for inventory since 13:02 (7 wait)' },
  },
  {
    ...{ kind: 'unreadQueue', domain: null, commandType: null, errorCode: null, queue: 'shop__replies', trend: null },
    ...{
      since: '2026-11-29T10:21:00.000Z',
      count: 251,
      sentence: 'replies in shop__replies unread since 10:21 (251 wait)',
    },
  },
]
const sentence = `2 problems: ${problems.map(one => one.sentence).join('; ')}.`
const queue = {
  ...{
    queue: 'shop__replies',
    kind: 'replies',
    domain: null,
    ready: 251,
    inFlight: 0,
    delayed: 0,
    held: 0,
    depth: 251,
  },
  ...{
    change: 12,
    inPerMinute: 0.8,
    outPerMinute: 0,
    oldestAgeSeconds: 10_800,
    unreadSeconds: 10_800,
    total: 300,
    strangers: 0,
  },
}

const serving = (status: object = { at: AT, sentence, problems }): void =>
  answering(({ path }) => {
    const [name, query = ''] = path.split('?')
    const range = new URLSearchParams(query).get('range') ?? '15m'
    if (name === '/stats') return [200, stats]
    if (name === '/types') {
      const series = Array.from({ length: 60 }, (_, i) => ({
        at: minute(i - 45),
        ...outcomes,
        sent: 2,
        completed: 1,
        failed: 1,
      }))
      return [200, { ...inRange, range, series, items: [type], total: 1 }]
    }
    if (name === '/failures')
      return [200, { ...counted, items: Array.from({ length: 10 }, (_, i) => cause(i + 1)), total: 10 }]
    if (name === '/status') return [200, status]
    if (name === '/queues') {
      const series = Array.from({ length: 15 }, (_, i) => ({ at: minute(i), depth: 240 + i, came: 1, went: 0 }))
      return [200, { ...inRange, series: query.includes('queue=') ? series : [], items: [queue] }]
    }
    if (name === '/flow/pauses') return [200, { items: [] }]
    return [200, { status: 'healthy' }]
  })

test('O8: one sentence on top of the overview says what is broken, with a link to each problem', async () => {
  serving()
  show(<OverviewPage />)
  const state = await screen.findByRole('status', { name: 'State of the bus' })
  expect(state.textContent).toBe(sentence)
  const links = within(state).getAllByRole('link')
  expect(links.map(link => link.getAttribute('href'))).toEqual([
    '/commands?status=PENDING&domain=inventory',
    '/queues/shop__replies',
  ])
  expect(asked().some(({ path }) => path.startsWith('/status?timeZone='))).toBe(true)
})

test('O8: problems that the sentence does not name are below it', async () => {
  const [one, other] = problems
  const fax = { ...one, commandType: 'Fax', sentence: 'no worker for type Fax in inventory since 13:04 (1 waits)' }
  serving({ at: AT, sentence: `3 problems: ${one?.sentence}; 2 more.`, problems: [one, fax, other] })
  show(<OverviewPage />)
  await userEvent.click(await screen.findByText('The other 2'))
  const href = screen.getByRole('link', { name: fax.sentence }).getAttribute('href')
  expect(href).toBe('/commands?status=PENDING&domain=inventory&commandType=Fax')
  expect(screen.getByRole('link', { name: other?.sentence ?? '' })).toBeTruthy()
  expect(asked().some(({ path }) => path.startsWith('/workers/missing'))).toBe(false)
})

test('O8: causes are all there, with what came in the last 15 minutes and hour; new ones are marked', async () => {
  serving()
  show(<OverviewPage />)
  await screen.findByText('CODE_1')
  expect(screen.getByText('+13')).toBeTruthy()
  expect(screen.getByText('+40')).toBeTruthy()
  expect(screen.getAllByText('new')).toHaveLength(1)
  expect(screen.getByRole('link', { name: '20' }).getAttribute('href')).toBe(
    '/commands?status=FAILED&domain=payments&commandType=Charge&errorCode=CODE_1',
  )
  expect(screen.queryByText('CODE_9')).toBeNull()
  await userEvent.click(screen.getByRole('button', { name: '2 more' }))
  expect(screen.getByText('CODE_9')).toBeTruthy()
  expect(screen.getByText('CODE_10')).toBeTruthy()
  expect(screen.queryByRole('button', { name: /more$/ })).toBeNull()
})

test('O8: the minute under way is hatched, the line ends before it, and a bar leads to its commands', async () => {
  serving()
  show(<OverviewPage />)
  await screen.findByText('Completed 127')
  const bars = [...document.querySelectorAll('[data-bar]')]
  expect(bars).toHaveLength(15)
  expect([...document.querySelectorAll('[data-hatched]')].map(one => one.closest('[data-bar]'))).toEqual([bars.at(-1)])
  const line = document.querySelector('path[stroke-dasharray]')?.getAttribute('d') ?? ''
  expect(line.match(/[ML]/g)).toHaveLength(14)
  await userEvent.click(bars[3] as Element)
  expect(location.pathname + location.search).toBe(
    `/commands?${new URLSearchParams({ createdAfter: minute(3), createdBefore: minute(4) })}`,
  )
})

test('O8: the overview goes back as far as its range says, and tiles show what came within the hour', async () => {
  serving()
  history.replaceState(null, '', '/?range=24h')
  show(<OverviewPage />)
  await waitFor(() => expect(asked().map(({ path }) => path)).toContain('/types?range=24h'))
  await screen.findByText('Completed 60')
  expect(screen.getByText('24 h').getAttribute('aria-current')).toBe('true')
  expect(screen.getByText('7 d').getAttribute('href')).toBe('/?range=7d')
  const tiles = within(screen.getByRole('list', { name: 'Commands by status' }))
  expect(tiles.getByRole('link', { name: /Failed/ }).textContent).toBe('20Failed+60 in 1 h')
})

test('O8: types show throughput, failures, p50 and p95 of wait and run, and lead to a page each', async () => {
  serving()
  show(<TypesPage />)
  expect((await screen.findByRole('link', { name: 'Charge' })).getAttribute('href')).toBe('/types/payments/Charge')
  for (const text of ['12.5%', '12 ms / 340 ms', '80 ms / 1.2 s', 'UPSTREAM_503 10'])
    expect(screen.getByText(text)).toBeTruthy()
})

test('O8: the page of a type has its course, its figures and its causes', async () => {
  serving()
  history.replaceState(null, '', '/types/payments/Charge?range=1h')
  show(<TypePage domain="payments" commandType="Charge" />)
  await screen.findByText('150, 10 a minute')
  expect(asked().map(({ path }) => path)).toContain('/types?range=1h&domain=payments&commandType=Charge')
  await screen.findByText('CODE_1')
  expect(document.querySelectorAll('[data-bar]')).toHaveLength(60)
})

test('O8: queues show those that nobody reads, and lead to their course', async () => {
  serving()
  show(<QueuesPage />)
  expect((await screen.findByRole('link', { name: 'shop__replies' })).getAttribute('href')).toBe(
    '/queues/shop__replies',
  )
  expect(screen.getByText('251 waiting, not read for 3 h 0 min')).toBeTruthy()
  expect(screen.getByText('(+12)')).toBeTruthy()
})

test('O8: the page of a queue has what waits now, and what was put on and taken off', async () => {
  serving()
  show(<QueuePage queue="shop__replies" />)
  await screen.findByText('Waiting 254')
  expect(screen.getAllByText('3 h 0 min', { selector: 'dd' })).toHaveLength(2)
  expect(screen.getByText('Taken off 0')).toBeTruthy()
})
