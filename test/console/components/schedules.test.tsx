import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { signIn } from '../../../web/src/api/session.ts'
import { SchedulesPage } from '../../../web/src/pages/schedules/SchedulesPage.tsx'
import { answering, asked, show, tokenFor } from './support.tsx'

const commandId = '00000000-0000-4000-8000-000000000001'
const schedule = {
  name: 'sales.nightly',
  tenantId: null,
  status: 'ACTIVE',
  domain: 'reports',
  commandType: 'Nightly',
  data: { kind: 'sales' },
  replyTo: null,
  priority: 'normal',
  key: null,
  cron: '30 2 * * *',
  timeZone: 'Europe/Berlin',
  everySeconds: null,
  missed: 'skip',
  maxMissed: 100,
  overlap: 'allow',
  createdAt: '2026-01-02T03:04:05.678Z',
  createdBy: 'ann',
  setAt: '2026-01-02T03:04:05.678Z',
  setBy: 'ann',
  pausedAt: null,
  pausedBy: null,
  pauseReason: null,
  next: ['2026-01-03T01:30:00.000Z', '2026-01-04T01:30:00.000Z'],
  lastTime: '2026-01-02T01:30:00.000Z',
  lastCommandId: commandId,
  lastPassedOver: null,
}

test('F10: the page shows what is sent when, and runs, pauses and resumes', async () => {
  let now: object = schedule
  answering(({ method, path }) => {
    if (method === 'GET') return [200, { items: [now], nextCursor: null }]
    if (path.endsWith('/run'))
      return [
        202,
        {
          commandId,
          domain: 'reports',
          commandType: 'Nightly',
          status: 'PENDING',
          msgId: '1',
          correlationId: commandId,
        },
      ]
    now = path.endsWith('/pause')
      ? {
          ...schedule,
          status: 'PAUSED',
          pausedAt: schedule.setAt,
          pausedBy: 'jane',
          pauseReason: 'month end',
          next: [],
        }
      : schedule
    return [200, now]
  })
  show(<SchedulesPage />)
  await screen.findByText('sales.nightly')
  await screen.findByText('30 2 * * *')
  await screen.findByText('Europe/Berlin')
  expect(document.querySelectorAll('ol time')).toHaveLength(2)
  expect(document.querySelector(`a[href="/commands/reports/${commandId}"]`)).not.toBeNull()
  await userEvent.click(screen.getByRole('button', { name: 'Run sales.nightly now' }))
  await screen.findByText(`Sent: command ${commandId}`)
  await userEvent.click(screen.getByRole('button', { name: 'Pause sales.nightly' }))
  const dialog = within(await screen.findByRole('dialog'))
  await userEvent.type(dialog.getByLabelText(/Reason/), ' month end ')
  await userEvent.click(dialog.getByRole('button', { name: 'Pause it' }))
  await screen.findByText('month end, by jane')
  await userEvent.click(screen.getByRole('button', { name: 'Resume sales.nightly' }))
  await screen.findByRole('button', { name: 'Pause sales.nightly' })
  expect(asked().filter(({ method }) => method === 'POST')).toEqual([
    { method: 'POST', path: '/schedules/sales.nightly/run', body: {} },
    { method: 'POST', path: '/schedules/sales.nightly/pause', body: { reason: 'month end' } },
    { method: 'POST', path: '/schedules/sales.nightly/resume', body: {} },
  ])
})

test('F10: who may only read sees no buttons', async () => {
  signIn(tokenFor(['AUDITOR']))
  answering(() => [200, { items: [{ ...schedule, cron: null, everySeconds: 90 }], nextCursor: null }])
  show(<SchedulesPage />)
  await screen.findByText('every 90 s')
  expect(screen.queryByRole('button', { name: /Run/ })).toBeNull()
})
