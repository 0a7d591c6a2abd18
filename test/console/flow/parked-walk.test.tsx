import { fireEvent, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, expect, test } from 'vitest'
import { CurrentPage } from '../../../web/src/app/pages.tsx'
import { Shell } from '../../../web/src/app/Shell.tsx'
import { type Asked, answering, show } from '../components/support.tsx'

const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}`
const at = '2026-01-02T03:04:05.678Z'

const parked = (n: number) => ({
  domain: 'shop',
  commandId: id(n),
  commandType: `Charge${n}`,
  status: 'IN_TROUBLESHOOTING_QUEUE',
  attempts: 1,
  maxAttempts: 3,
  totalAttempts: 1,
  parkedReason: 'PERMANENT',
  snoozedUntil: null,
  assignee: null,
  tags: [],
  notes: 0,
  lastErrorType: 'PERMANENT',
  lastErrorCode: 'DECLINED',
  lastErrorMsg: 'declined',
  correlationId: 'c',
  causationId: null,
  parentCommandId: null,
  replyTo: null,
  nextAttemptAt: null,
  leaseExpiresAt: null,
  runAt: null,
  expiresAt: null,
  lane: null,
  priority: 'normal',
  tenantId: null,
  ownerId: null,
  queueName: 'shop__commands',
  msgId: '1',
  revision: 2,
  payload: {},
  data: {},
  result: null,
  createdAt: at,
  updatedAt: at,
  parkedAt: at,
})

const counts = { PENDING: 0, IN_PROGRESS: 0, COMPLETED: 0, FAILED: 0, CANCELED: 0, IN_TROUBLESHOOTING_QUEUE: 62 }
const stats = { at, total: counts, domains: [], throughput: [], queues: [], undeliveredReplies: 0 }

const answers = ({ path }: Asked): readonly [number, unknown] | undefined => {
  if (path.startsWith('/stats')) return [200, stats]
  if (path.startsWith('/troubleshooting?')) {
    return [200, { items: [1, 2, 3].map(parked), nextCursor: null, total: 3 }]
  }
  const n = /\/commands\/.*(\d)$/.exec(path)?.[1]
  if (n !== undefined) return [200, parked(Number(n))]
  return path.includes('/audit') || path.includes('/history') ? [200, { items: [] }] : undefined
}

const LIST = '/troubleshooting?view=list&errorCode=DECLINED'

beforeEach(() => {
  answering(answers)
  history.replaceState(null, '', LIST)
  sessionStorage.removeItem('commandbus.list')
})

const open = async () => {
  show(
    <Shell>
      <CurrentPage />
    </Shell>,
  )
  await screen.findByRole('link', { name: /Charge2/ })
}
const heading = (name: string) => screen.findByRole('heading', { name, level: 1 })
const marked = () =>
  within(screen.getByRole('navigation', { name: 'Main' })).getByText(/./, { selector: '[aria-current]' })
const around = () => screen.getByRole('navigation', { name: 'List' })
const press = (key: string) => fireEvent.keyDown(document.body, { key })

test('the tab counts what is in troubleshooting', async () => {
  await open()
  expect(document.title).toBe('(62) Troubleshooting · commandbus')
})

test('what was selected is selected again after a visit to a command, except one that was settled there', async () => {
  await open()
  await userEvent.click(screen.getByRole('checkbox', { name: `Select Charge1 ${id(1)}` }))
  await userEvent.click(screen.getByRole('checkbox', { name: `Select Charge2 ${id(2)}` }))
  await userEvent.click(screen.getByRole('link', { name: /Charge3/ }))
  await heading('Charge3')
  expect(marked().textContent).toContain('Troubleshooting')
  await userEvent.click(screen.getByRole('link', { name: 'Back to the list' }))
  await screen.findByText('2 commands selected')
  expect(location.pathname + location.search).toBe(LIST)
  answering(asked => {
    const answer = answers(asked)
    return asked.path.endsWith(id(2)) && answer ? [200, { ...(answer[1] as object), status: 'PENDING' }] : answer
  })
  await userEvent.click(screen.getByRole('link', { name: /Charge2/ }))
  await heading('Charge2')
  await userEvent.click(screen.getByRole('link', { name: 'Back to the list' }))
  await screen.findByText('1 command selected')
})

test('the next and the previous parked command are a key away, and the way back stays the list', async () => {
  await open()
  await userEvent.click(screen.getByRole('link', { name: /Charge1/ }))
  await heading('Charge1')
  expect(around().textContent).toContain('1 of 3')
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Previous command' }).disabled).toBe(true)
  press('j')
  await heading('Charge2')
  press('j')
  await heading('Charge3')
  press('k')
  await heading('Charge2')
  expect(around().textContent).toContain('2 of 3')
  expect(screen.getByRole('link', { name: 'Back to the list' }).getAttribute('href')).toBe(LIST)
})

test('keys retry, edit and cancel the command of the page', async () => {
  await open()
  await userEvent.click(screen.getByRole('link', { name: /Charge1/ }))
  await heading('Charge1')
  for (const [key, title] of [
    ['r', 'Retry 1 command'],
    ['e', 'Edit and retry'],
    ['c', 'Cancel 1 command'],
  ] as const) {
    press(key)
    const dialog = await screen.findByRole('dialog', { name: title })
    fireEvent(dialog, new Event('cancel', { cancelable: true }))
    expect(screen.queryByRole('dialog')).toBeNull()
  }
})

test('a command that was not opened from troubleshooting belongs to the commands, and has no way back', async () => {
  history.replaceState(null, '', `/commands/shop/${id(1)}`)
  show(
    <Shell>
      <CurrentPage />
    </Shell>,
  )
  await heading('Charge1')
  expect(marked().textContent).toContain('Commands')
  expect(screen.queryByRole('link', { name: 'Back to the list' })).toBeNull()
})
