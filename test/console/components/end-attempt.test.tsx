import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import type { CommandDetail } from '../../../web/src/api/client.ts'
import { signIn } from '../../../web/src/api/session.ts'
import { CommandActions } from '../../../web/src/pages/commands/CommandActions.tsx'
import { answering, asked, problem, show, tokenFor } from './support.tsx'

const commandId = '00000000-0000-4000-8000-000000000001'
const command = (status: string) =>
  ({ domain: 'payments', commandId, commandType: 'Charge', status, data: {} }) as unknown as CommandDetail
const button = () => screen.queryByRole('button', { name: 'End the attempt' })

const open = async () => {
  show(<CommandActions command={command('IN_PROGRESS')} />)
  await userEvent.click(button() as HTMLElement)
  const dialog = within(screen.getByRole('dialog'))
  return { dialog, confirm: dialog.getByRole<HTMLButtonElement>('button', { name: 'End the attempt' }) }
}

test('R6: the attempt of a running command can be ended, with a reason', async () => {
  answering(() => [200, { commandId, status: 'IN_TROUBLESHOOTING_QUEUE' }])
  const { dialog, confirm } = await open()
  expect(dialog.getByText(/what it still reports is ignored/)).toBeTruthy()
  expect(confirm.disabled).toBe(true)
  await userEvent.type(dialog.getByLabelText(/Reason/), ' it hangs ')
  await userEvent.click(confirm)
  expect((await screen.findByRole('status')).textContent).toContain('the command is parked')
  expect(asked()).toEqual([
    { method: 'POST', path: `/domains/payments/commands/${commandId}/end-attempt`, body: { reason: 'it hangs' } },
  ])
  expect(screen.queryByRole('dialog')).toBeNull()
})

test('R6: the dialog stays and says so if the attempt has ended meanwhile', async () => {
  answering(() =>
    problem(409, 'INVALID_OPERATION', 'command 1 is COMPLETED, not IN_PROGRESS: there is no attempt to end'),
  )
  const { dialog, confirm } = await open()
  await userEvent.type(dialog.getByLabelText(/Reason/), 'it hangs')
  await userEvent.click(confirm)
  expect((await dialog.findByRole('alert')).textContent).toContain('there is no attempt to end')
})

test('R6: only while the command runs, and only for those who may operate', () => {
  show(
    ['PENDING', 'COMPLETED', 'FAILED', 'CANCELED', 'IN_TROUBLESHOOTING_QUEUE'].map(status => (
      <CommandActions key={status} command={command(status)} />
    )),
  )
  expect(button()).toBeNull()
  signIn(tokenFor(['SENDER', 'AUDITOR']))
  show(<CommandActions command={command('IN_PROGRESS')} />)
  expect(button()).toBeNull()
})
