import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test } from 'vitest'
import { TimeTravel } from '../../../web/src/pages/commands/TimeTravel.tsx'
import { ActionBar } from '../../../web/src/pages/troubleshooting/acting/ActionBar.tsx'
import { answering, asked, problem, show } from './support.tsx'

const commandId = '00000000-0000-4000-8000-000000000001'
const path = `/domains/payments/commands/${commandId}`
const large = { amount: 5, note: 'x'.repeat(10_000) }
const preview = '{"amount":5,"note":"xxx'
const cut = { payload: null, payloadBytes: 10_022, payloadPreview: preview }

describe('editing a payload that is too large for the list', () => {
  const edit = async () => {
    show(
      <ActionBar target={{ kind: 'one', command: { domain: 'payments', commandId, commandType: 'Charge', ...cut } }} />,
    )
    await userEvent.click(screen.getByRole('button', { name: 'Edit and retry' }))
    return within(screen.getByRole('dialog'))
  }

  test('G5: shows its beginning and size, loads the whole payload, and edits that', async () => {
    let answer: (body: unknown) => void = () => {}
    const body = new Promise(resolve => {
      answer = resolve
    })
    answering(async ({ method }) => [200, method === 'GET' ? await body : {}])
    const dialog = await edit()
    expect(dialog.getByTestId('beginning').textContent).toBe(`${preview} …The beginning of 11 KB.`)
    expect(dialog.queryByLabelText('Payload')).toBe(null)
    answer({ data: large })
    const box = await dialog.findByLabelText<HTMLTextAreaElement>('Payload')
    expect(JSON.parse(box.value)).toEqual(large)
    expect(dialog.queryByTestId('beginning')).toBe(null)
    await userEvent.clear(box)
    await userEvent.click(box)
    await userEvent.paste('{"amount": 4}')
    await userEvent.click(dialog.getByRole('button', { name: 'Retry with this payload' }))
    await screen.findByText(/Sent again/)
    expect(asked().filter(({ method }) => method === 'POST')).toEqual([
      { method: 'POST', path: `${path}/retry`, body: { data: { amount: 4 } } },
    ])
    expect(asked()[0]).toMatchObject({ method: 'GET', path })
  })

  test('G5: is not possible from the beginning only: if the payload cannot be loaded, nothing can be sent', async () => {
    answering(() => problem(503, 'UNAVAILABLE', 'the database is away'))
    const dialog = await edit()
    await dialog.findByText(/the database is away/)
    expect(dialog.queryByLabelText('Payload')).toBe(null)
    expect(dialog.queryByRole('button', { name: /Retry 1 command|Retry with this payload/ })).toBe(null)
  })
})

test('G5: time travel shows the beginning of large differences, and loads the whole state when it is opened', async () => {
  const state = { status: 'PENDING', data: null, dataBytes: 10_022, dataPreview: preview, result: null }
  const step = {
    revision: 0,
    event: { type: 'CommandSent' },
    names: ['SENT'],
    actor: 'jane',
    at: '2026-01-31T12:00:00.000Z',
    sinceLastMs: null,
    state,
    diff: [{ op: 'add', path: '/data', from: null, to: null, toBytes: 10_022, toPreview: preview }],
    diffOmitted: 3,
  }
  answering(asked =>
    asked.path.endsWith('?at=0')
      ? [200, { items: [step], state: { status: 'PENDING', data: { whole: 'payload' } } }]
      : [200, { items: [step], state }],
  )
  show(<TimeTravel domain="payments" commandId={commandId} />)
  const moment = within(await screen.findByTestId('moment'))
  expect(moment.getByText(`${preview} … (11 KB)`)).toBeTruthy()
  expect(moment.getByText('and 3 more')).toBeTruthy()
  expect(asked().map(({ path }) => path)).toEqual([`${path}/history`])
  await userEvent.click(moment.getByText('Full state at this point'))
  expect(await moment.findByText(/"whole": "payload"/)).toBeTruthy()
  expect(asked().map(({ path }) => path)).toEqual([`${path}/history`, `${path}/history?at=0`])
})
