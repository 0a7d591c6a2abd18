import { fireEvent, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test, vi } from 'vitest'
import { signIn } from '../../../web/src/api/session.ts'
import { ActionBar } from '../../../web/src/pages/troubleshooting/acting/ActionBar.tsx'
import type { Target } from '../../../web/src/pages/troubleshooting/acting/target.ts'
import { answering, asked, problem, show, tokenFor } from './support.tsx'

const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const one: Target = {
  kind: 'one',
  command: { domain: 'payments', commandId: id(1), commandType: 'Charge', payload: { amount: 5 } },
}
const many: Target = {
  kind: 'many',
  commands: Array.from({ length: 7 }, (_, i) => ({ domain: 'payments', commandId: id(i), commandType: 'Charge' })),
}
const matching: Target = { kind: 'matching', filter: { errorCode: 'CARD_DECLINED', domain: 'payments' }, total: 200 }
const actionId = id(99)
const path = `/domains/payments/commands/${id(1)}`

const open = async (target: Target, button: string) => {
  const view = show(<ActionBar target={target} />)
  await userEvent.click(screen.getByRole('button', { name: button }))
  return { ...view, dialog: within(screen.getByRole('dialog')) }
}

/** Sets a text at once: braces are special to typing. */
const write = async (box: HTMLElement, text: string): Promise<void> => {
  await userEvent.clear(box)
  await userEvent.click(box)
  await userEvent.paste(text)
}

describe('the confirmation of an action', () => {
  test('says how many and which: one command', async () => {
    const { dialog } = await open(one, 'Retry')
    expect(dialog.getByRole('heading').textContent).toBe('Retry 1 command')
    expect(dialog.getByTestId('target').textContent).toBe(`1 command:Charge in payments ${id(1)}`)
  })

  test('says how many and which: the first of many, and how many more', async () => {
    const { dialog } = await open(many, 'Cancel')
    expect(dialog.getByRole('heading').textContent).toBe('Cancel 7 commands')
    expect(dialog.getAllByRole('listitem').length).toBe(5)
    expect(dialog.getByTestId('target').textContent).toContain('and 2 commands more')
  })

  test('says how many and which: all that match, now and not later', async () => {
    const { dialog } = await open(matching, 'Retry')
    expect(dialog.getByTestId('target').textContent).toBe(
      '200 commands: all in troubleshooting with error CARD_DECLINED, in domain payments. Commands that arrive later are not included.',
    )
  })

  test('closes on Back, and nothing is done', async () => {
    const { dialog } = await open(one, 'Retry')
    await userEvent.click(dialog.getByRole('button', { name: 'Close' }))
    expect([screen.queryByRole('dialog'), asked()]).toEqual([null, []])
  })
})

describe('one command', () => {
  test('A1: a retry sends the original payload again, and says so', async () => {
    answering(() => [200, { commandId: id(1), status: 'PENDING', msgId: '2' }])
    const { dialog } = await open(one, 'Retry')
    await userEvent.click(dialog.getByRole('button', { name: 'Retry 1 command' }))
    expect((await screen.findByRole('status')).textContent).toContain('Sent again')
    expect(asked()).toEqual([{ method: 'POST', path: `${path}/retry`, body: {} }])
    expect(screen.queryByRole('dialog')).toBe(null)
  })

  test('A2: a retry can keep the count of attempts', async () => {
    answering(() => [200, {}])
    const { dialog } = await open(one, 'Retry')
    await userEvent.click(dialog.getByLabelText(/Do not reset the attempt counter/))
    await userEvent.click(dialog.getByRole('button', { name: 'Retry 1 command' }))
    await screen.findByRole('status')
    expect(asked()[0]?.body).toEqual({ resetAttempts: false })
  })

  test('A7: a cancel needs a reason that is not blank', async () => {
    answering(() => [200, {}])
    const { dialog } = await open(one, 'Cancel')
    const confirm = dialog.getByRole<HTMLButtonElement>('button', { name: 'Cancel 1 command' })
    expect(confirm.disabled).toBe(true)
    await userEvent.type(dialog.getByLabelText(/Reason/), '   ')
    expect(confirm.disabled).toBe(true)
    await userEvent.type(dialog.getByLabelText(/Reason/), 'the order is gone ')
    await userEvent.click(confirm)
    await screen.findByRole('status')
    expect(asked()).toEqual([{ method: 'POST', path: `${path}/cancel`, body: { reason: 'the order is gone' } }])
  })

  test('A9: a completion accepts only JSON as result', async () => {
    answering(() => [200, {}])
    const { dialog } = await open(one, 'Complete')
    const box = dialog.getByLabelText('Result (JSON)')
    const confirm = dialog.getByRole<HTMLButtonElement>('button', { name: 'Complete 1 command' })
    await write(box, '{"charged": }')
    expect(confirm.disabled).toBe(true)
    expect(box.getAttribute('aria-invalid')).toBe('true')
    await write(box, '{"charged": 5}')
    expect(confirm.disabled).toBe(true)
    await userEvent.type(dialog.getByLabelText('Reason (required)'), 'paid by cheque')
    await userEvent.click(confirm)
    await screen.findByRole('status')
    expect(asked()).toEqual([
      { method: 'POST', path: `${path}/complete`, body: { resultData: { charged: 5 }, reason: 'paid by cheque' } },
    ])
  })

  test('edit and retry starts from the payload, shows where it is not valid JSON, and sends the changed one', async () => {
    answering(() => [200, {}])
    const { dialog } = await open(one, 'Edit and retry')
    const box = dialog.getByLabelText<HTMLTextAreaElement>('Payload')
    expect(JSON.parse(box.value)).toEqual({ amount: 5 })
    await write(box, '{\n  "amount": 5,,\n}')
    expect(dialog.getByText(/line 2, column 15/)).toBeTruthy()
    await write(box, '{"amount": 4}')
    await userEvent.click(dialog.getByRole('button', { name: 'Retry with this payload' }))
    await screen.findByRole('status')
    expect(asked()).toEqual([{ method: 'POST', path: `${path}/retry`, body: { data: { amount: 4 } } }])
  })

  test('R8: an edit with a number that would be rounded is refused while it is typed', async () => {
    const { dialog } = await open(one, 'Edit and retry')
    await write(dialog.getByRole('textbox'), '{"lines":[{"id":9007199254740993}]}')
    expect(dialog.getByText(/^lines\[0\]\.id is past 9007199254740991 .* send it as a text$/)).toBeDefined()
    expect(asked()).toEqual([])
  })

  test('a refused edit shows the faults by their path, and keeps what was written', async () => {
    answering(() =>
      problem(400, 'INVALID_REQUEST', 'data.amount: must be positive', [
        { path: 'data.amount', message: 'must be positive' },
      ]),
    )
    const { dialog } = await open(one, 'Edit and retry')
    await write(dialog.getByLabelText('Payload'), '{"amount": -1}')
    await userEvent.click(dialog.getByRole('button', { name: 'Retry with this payload' }))
    expect((await dialog.findByText('data.amount')).closest('li')?.textContent).toBe('data.amount: must be positive')
    expect(dialog.getByLabelText<HTMLTextAreaElement>('Payload').value).toBe('{"amount": -1}')
  })

  test('A5: the second operator gets a friendly message, also when the list has changed', async () => {
    answering(() => problem(409, 'INVALID_OPERATION', 'the command is PENDING, not in troubleshooting'))
    const { dialog, again } = await open(one, 'Retry')
    again(<ActionBar target={one} offered={false} />)
    expect(screen.queryByRole('button', { name: 'Edit and retry' })).toBe(null)
    await userEvent.click(dialog.getByRole('button', { name: 'Retry 1 command' }))
    const told = await dialog.findByRole('alert')
    expect(told.textContent).toContain('Somebody was faster: the command is PENDING, not in troubleshooting')
    expect(told.className).toContain('blue')
  })
})

describe('many commands', () => {
  test('are selected by id, and the page of the action opens', async () => {
    answering(() => [202, { actionId }])
    const { dialog } = await open(many, 'Retry')
    await userEvent.click(dialog.getByRole('button', { name: 'Retry 7 commands' }))
    await expect.poll(() => location.pathname).toBe(`/troubleshooting/actions/${actionId}`)
    const ids = Array.from({ length: 7 }, (_, i) => ({ domain: 'payments', commandId: id(i) }))
    expect(asked()[0]?.body).toEqual({ action: 'retry', ids })
  })

  test('are selected by the filter, with a canary', async () => {
    answering(() => [202, { actionId }])
    const { dialog } = await open(matching, 'Retry')
    await userEvent.click(dialog.getByLabelText('Try a few first'))
    const first = dialog.getByLabelText<HTMLInputElement>('How many first')
    expect(first.value).toBe('10')
    await write(first, '20')
    await userEvent.click(dialog.getByRole('button', { name: 'Retry 200 commands' }))
    await expect.poll(() => location.pathname).toBe(`/troubleshooting/actions/${actionId}`)
    expect(asked()).toEqual([
      {
        method: 'POST',
        path: '/troubleshooting/actions',
        body: { action: 'retry', canary: 20, filter: { errorCode: 'CARD_DECLINED', domain: 'payments' } },
      },
    ])
  })

  test('cannot be edited at once', async () => {
    show(<ActionBar target={many} />)
    expect(screen.queryByRole('button', { name: 'Edit and retry' })).toBe(null)
  })
})

test('a user without the right to operate is offered no action', () => {
  signIn(tokenFor(['AUDITOR']))
  show(<ActionBar target={one} />)
  expect(screen.queryAllByRole('button')).toEqual([])
})

describe('a snooze', () => {
  test('asks until when, and optionally why', async () => {
    answering(() => [200, { commandId: id(1), status: 'IN_TROUBLESHOOTING_QUEUE' }])
    const { dialog } = await open(one, 'Snooze')
    const confirm = dialog.getByRole<HTMLButtonElement>('button', { name: 'Snooze 1 command' })
    expect(confirm.disabled).toBe(true)
    fireEvent.change(dialog.getByLabelText(/Until/), { target: { value: '2030-01-31T12:00' } })
    await userEvent.click(confirm)
    expect((await screen.findByRole('status')).textContent).toContain('Snoozed')
    const until = new Date('2030-01-31T12:00').toISOString()
    expect(asked()).toEqual([{ method: 'POST', path: `${path}/snooze`, body: { until } }])
  })

  test('of many commands is an action in the background', async () => {
    answering(() => [202, { actionId }])
    const { dialog } = await open(matching, 'Snooze')
    fireEvent.change(dialog.getByLabelText(/Until/), { target: { value: '2030-01-31T12:00' } })
    await userEvent.type(dialog.getByLabelText(/Reason/), 'the bank is closed')
    await userEvent.click(dialog.getByRole('button', { name: 'Snooze 200 commands' }))
    await vi.waitFor(() =>
      expect(asked()[0]?.body).toMatchObject({
        action: 'snooze',
        until: new Date('2030-01-31T12:00').toISOString(),
        reason: 'the bank is closed',
        filter: { errorCode: 'CARD_DECLINED' },
      }),
    )
  })
})
