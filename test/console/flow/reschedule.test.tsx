import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import type { CommandDetail } from '../../../web/src/api/client.ts'
import { signIn } from '../../../web/src/api/session.ts'
import { CommandActions } from '../../../web/src/pages/commands/CommandActions.tsx'
import { answering, asked, problem, show, tokenFor } from '../components/support.tsx'

const commandId = '00000000-0000-4000-8000-000000000001'
const command = (over: object = {}) =>
  ({
    domain: 'mail',
    commandId,
    commandType: 'Post',
    status: 'PENDING',
    totalAttempts: 0,
    data: {},
    ...over,
  }) as unknown as CommandDetail
const button = () => screen.queryByRole('button', { name: 'Run now or later' })

const open = async () => {
  show(<CommandActions command={command()} />)
  await userEvent.click(button() as HTMLElement)
  return within(screen.getByRole('dialog'))
}

test('F1: a command that nobody has begun is run now', async () => {
  answering(() => [200, command()])
  const dialog = await open()
  await userEvent.click(dialog.getByRole('button', { name: 'Run now' }))
  expect((await screen.findByRole('status')).textContent).toContain('runs now')
  expect(asked()).toEqual([
    { method: 'POST', path: `/domains/mail/commands/${commandId}/reschedule`, body: { delaySeconds: 0 } },
  ])
  expect(screen.queryByRole('dialog')).toBeNull()
})

test('F1: it is moved to a time, and the dialog stays and says so when a worker has taken it', async () => {
  answering(() => problem(409, 'INVALID_OPERATION', `a worker has taken command ${commandId}`))
  const dialog = await open()
  const change = dialog.getByRole<HTMLButtonElement>('button', { name: 'Change' })
  expect(change.disabled).toBe(true)
  await userEvent.type(dialog.getByLabelText('Not before'), '2026-12-24T18:00')
  await userEvent.click(change)
  expect((await dialog.findByRole('alert')).textContent).toContain('worker has taken command')
  expect(asked()[0]?.body).toEqual({ runAt: new Date('2026-12-24T18:00').toISOString() })
})

test('F1: only while nobody has begun it, and only for those who may move it', () => {
  show([
    <CommandActions key="a" command={command({ totalAttempts: 1 })} />,
    <CommandActions key="b" command={command({ status: 'COMPLETED' })} />,
  ])
  expect(button()).toBeNull()
  signIn(tokenFor(['AUDITOR']))
  show(<CommandActions command={command()} />)
  expect(button()).toBeNull()
})
