import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import { signIn } from '../../../web/src/api/session.ts'
import { PauseButton, Pauses } from '../../../web/src/pages/overview/Pauses.tsx'
import { answering, asked, problem, show, tokenFor } from './support.tsx'

const pause = {
  pauseId: '00000000-0000-4000-8000-000000000001',
  domain: 'mail',
  commandType: 'Send',
  tenantId: null,
  reason: 'the provider is down',
  until: '2030-01-02T03:04:05.678Z',
  pausedBy: 'ann',
  pausedAt: '2026-01-02T03:04:05.678Z',
}

test('F4: the overview shows what is paused, by whom and why, and resumes it', async () => {
  let items = [pause]
  answering(({ method }) => {
    if (method === 'GET') return [200, { items }]
    items = []
    return [200, { ...pause, resumedAt: pause.pausedAt, resumedBy: 'jane' }]
  })
  show(<Pauses />)
  expect(await screen.findByText('Type Send in mail is paused')).toBeTruthy()
  expect(screen.getByText('the provider is down')).toBeTruthy()
  expect(screen.getByText(/by ann/)).toBeTruthy()
  await userEvent.click(screen.getByRole('button', { name: 'Resume Type Send in mail' }))
  await screen.findByText('Type Send in mail is resumed')
  expect(screen.queryByText('the provider is down')).toBeNull()
  expect(asked()).toContainEqual({ method: 'DELETE', path: `/flow/pauses/${pause.pauseId}`, body: undefined })
})

test('F4: a pause is made with a reason, and a refusal is shown', async () => {
  let times = 0
  answering(() =>
    times++ === 0
      ? problem(409, 'CONFLICT', "domain 'mail' is paused already")
      : [201, { ...pause, commandType: null }],
  )
  show(<PauseButton />)
  await userEvent.click(screen.getByRole('button', { name: 'Pause' }))
  await userEvent.type(screen.getByLabelText('Domain'), ' mail ')
  await userEvent.type(screen.getByLabelText(/Reason/), 'the provider is down')
  const submit = screen.getAllByRole('button', { name: 'Pause' }).at(-1) as HTMLElement
  await userEvent.click(submit)
  await screen.findByText(/is paused already/)
  await userEvent.click(submit)
  await screen.findByText('Paused')
  expect(asked().at(-1)).toEqual({
    method: 'POST',
    path: '/flow/pauses',
    body: { domain: 'mail', reason: 'the provider is down' },
  })
})

test('F4: who may not operate sees what is paused, without buttons', async () => {
  signIn(tokenFor(['AUDITOR']))
  answering(() => [200, { items: [pause] }])
  show(
    <>
      <Pauses />
      <PauseButton />
    </>,
  )
  await screen.findByText('Type Send in mail is paused')
  expect(screen.queryByRole('button')).toBeNull()
})
