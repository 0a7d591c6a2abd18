import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { signIn } from '../../../web/src/api/session.ts'
import { AlertsPage } from '../../../web/src/pages/alerts/AlertsPage.tsx'
import { SentPage } from '../../../web/src/pages/alerts/SentPage.tsx'
import { Notes } from '../../../web/src/pages/commands/Notes.tsx'
import { ActionBar } from '../../../web/src/pages/troubleshooting/acting/ActionBar.tsx'
import { Groups } from '../../../web/src/pages/troubleshooting/causes/Groups.tsx'
import { CareLine } from '../../../web/src/pages/troubleshooting/ParkedList.tsx'
import { answering, asked, show, tokenFor } from '../components/support.tsx'

const commandId = '00000000-0000-4000-8000-000000000001'
const path = `/domains/payments/commands/${commandId}`
const target = {
  kind: 'one',
  command: { domain: 'payments', commandId, commandType: 'Charge', payload: {}, assignee: 'joe', tags: ['bank', 'eu'] },
} as const
const open = async (button: string) => {
  show(<ActionBar target={target} />)
  await userEvent.click(screen.getByRole('button', { name: button }))
  return within(screen.getByRole('dialog'))
}

test('O3: a command is assigned to me, or to nobody', async () => {
  answering(() => [200, { commandId, status: 'IN_TROUBLESHOOTING_QUEUE' }])
  const dialog = await open('Assign')
  const field = dialog.getByLabelText<HTMLInputElement>(/^Assignee/)
  expect(field.value).toBe('joe')
  await userEvent.click(dialog.getByRole('button', { name: 'Assign to me' }))
  expect(field.value).toBe('jane@example.com')
  await userEvent.clear(field)
  await userEvent.click(dialog.getByRole('button', { name: 'Assign 1 command' }))
  await screen.findByRole('status')
  expect(asked()).toEqual([{ method: 'PUT', path: `${path}/assignee`, body: { assignee: null } }])
})

test('O3: tags begin with those it has, and a note is required', async () => {
  answering(() => [200, {}])
  const dialog = await open('Tag')
  const field = dialog.getByLabelText<HTMLInputElement>(/^Tags/)
  expect(field.value).toBe('bank, eu')
  await userEvent.clear(field)
  await userEvent.type(field, ' psp,, eu ')
  await userEvent.click(dialog.getByRole('button', { name: 'Tag 1 command' }))
  await screen.findByRole('status')
  expect(asked()).toEqual([{ method: 'PUT', path: `${path}/tags`, body: { tags: ['psp', 'eu'] } }])
  await userEvent.click(screen.getByRole('button', { name: 'Note' }))
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Note 1 command' }).disabled).toBe(true)
})

test('O3: lists show who is on it, tags and notes; the page of a command shows the notes, newest first', () => {
  show(<CareLine assignee="joe" tags={['bank']} notes={2} />)
  expect([screen.getByText('joe is on it'), screen.getByText('bank'), screen.getByText('2 notes')]).toHaveLength(3)
  const note = (n: number, details: object) => ({
    auditId: `${n}`,
    eventType: 'OPERATOR_NOTE',
    ts: '2026-01-01T00:00:00.000Z',
    actor: 'jane',
    details,
  })
  const items = [note(1, { text: 'first' }), note(2, { text: null, text_preview: 'the beginning' })]
  show(<Notes audit={[...items, { ...note(3, {}), eventType: 'OPERATOR_TAG' }] as never} />)
  expect(screen.getAllByRole('listitem').map(one => one.querySelector('p')?.textContent)).toEqual([
    'the beginning',
    'first',
  ])
})

const group = {
  key: 'k',
  domain: 'payments',
  commandType: 'Charge',
  errorCode: 'CARD_DECLINED',
  count: 2,
  first: '2026-01-01T00:00:00.000Z',
  last: '2026-01-01T00:00:00.000Z',
  sample: 'declined',
  care: {
    assignee: 'joe',
    tags: ['bank'],
    notes: 2,
    lastNote: 'it is back',
    notedBy: 'jane',
    notedAt: '2026-01-01T00:00:00.000Z',
    investigatedUntil: '2030-01-01T00:00:00.000Z',
    investigatedBy: 'jane',
    investigationReason: 'waits for the PSP',
  },
}

test('O3: a cause shows what is written about it; only what was changed is saved', async () => {
  answering(({ path: to }) =>
    to.startsWith('/troubleshooting/groups')
      ? [200, { items: [group] }]
      : to.startsWith('/troubleshooting/causes?')
        ? [200, { items: [{ ...group, notes: [{ at: group.first, operator: 'ann', text: 'the bank is down' }] }] }]
        : [200, {}],
  )
  show(<Groups />)
  await screen.findByText('Under investigation')
  expect(screen.getByText(/waits for the PSP/)).toBeTruthy()
  expect(screen.getByText(/it is back/)).toBeTruthy()
  await userEvent.click(screen.getByRole('button', { name: 'Write about the cause' }))
  const dialog = within(screen.getByRole('dialog'))
  expect(await dialog.findByText('the bank is down')).toBeTruthy()
  await userEvent.type(dialog.getByLabelText('New note'), 'they answered ')
  await userEvent.clear(dialog.getByLabelText(/^Under investigation/))
  await userEvent.click(dialog.getByRole('button', { name: 'Save' }))
  await screen.findByRole('status')
  const cause = { domain: 'payments', commandType: 'Charge', errorCode: 'CARD_DECLINED' }
  expect(asked().filter(({ method }) => method !== 'GET')).toEqual([
    { method: 'PUT', path: '/troubleshooting/causes/investigation', body: { ...cause, until: null } },
    { method: 'POST', path: '/troubleshooting/causes/notes', body: { ...cause, text: 'they answered' } },
  ])
})

const alert = {
  name: 'on-call',
  url: 'https://hooks.example.com/secret-path',
  on: ['groups'],
  quiet: null,
  digestMinutes: 15,
  setBy: 'jane',
  setAt: '2026-01-01T00:00:00.000Z',
  lastSentAt: null,
  waiting: 1,
  givenUp: 0,
  lastError: 'the receiver answered 500',
}

test('O5: the page of alerts shows what waits and why, tests one, and changes it without its secret', async () => {
  answering(({ method, path: to }) =>
    to === '/alerts'
      ? [200, { items: [alert] }]
      : to.endsWith('/test')
        ? [200, { id: commandId, sent: false, error: 'the receiver answered 503' }]
        : method === 'PUT'
          ? [200, alert]
          : undefined,
  )
  show(<AlertsPage />)
  expect(await screen.findByText('1 waiting')).toBeTruthy()
  expect([screen.getByText('hooks.example.com'), screen.getByText('the receiver answered 500')]).toHaveLength(2)
  await userEvent.click(screen.getByRole('button', { name: 'Test on-call' }))
  await screen.findByText(/not accepted: the receiver answered 503/)
  await userEvent.click(screen.getByRole('button', { name: 'Change on-call' }))
  const dialog = within(screen.getByRole('dialog'))
  await userEvent.click(dialog.getByLabelText('late replies'))
  await userEvent.click(dialog.getByRole('button', { name: 'Save alert' }))
  await screen.findByText('Alert on-call is saved')
  expect(asked().find(({ method }) => method === 'PUT')).toEqual({
    method: 'PUT',
    path: '/alerts/on-call',
    body: { url: alert.url, on: ['groups', 'lateReplies'], quiet: null, digestMinutes: 15 },
  })
})

test('O5: what was sent, waits and was given up is listed', async () => {
  const item = (n: number, over: object) => ({
    id: `00000000-0000-4000-8000-00000000000${n}`,
    test: false,
    status: 'SENT',
    text: `text ${n}`,
    attempts: n,
    createdAt: '2026-01-01T00:00:00.000Z',
    nextAttemptAt: null,
    endedAt: '2026-01-01T00:00:00.000Z',
    lastError: null,
    ...over,
  })
  const items = [item(1, { test: true }), item(2, { status: 'GIVEN_UP', lastError: 'no answer within 10 s' })]
  answering(() => [200, { items, nextCursor: null }])
  signIn(tokenFor(['OPERATOR']))
  show(<SentPage name="on-call" />)
  expect(await screen.findByText('Given up')).toBeTruthy()
  expect([screen.getByText('Sent'), screen.getByText('Test'), screen.getByText('no answer within 10 s')]).toHaveLength(
    3,
  )
})
