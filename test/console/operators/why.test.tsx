import { render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test, vi } from 'vitest'
import { Json } from '../../../web/src/components/Json.tsx'
import { Attempts } from '../../../web/src/pages/commands/Attempts.tsx'
import { CommandPage } from '../../../web/src/pages/commands/CommandPage.tsx'
import { Trace } from '../../../web/src/pages/commands/Trace.tsx'
import { ActionBar } from '../../../web/src/pages/troubleshooting/acting/ActionBar.tsx'
import { Groups } from '../../../web/src/pages/troubleshooting/causes/Groups.tsx'
import { answering, asked, problem, show } from '../components/support.tsx'

const commandId = '00000000-0000-4000-8000-000000000001'
const command = {
  domain: 'payments',
  commandId,
  commandType: 'Charge',
  payload: { amount: 5, country: 'NO' },
  tags: [],
}
const at = '2026-01-31T12:00:00.000Z'

describe('a stack', () => {
  const stack = [
    'Error: no answer',
    '    at request (node_modules/stripe/lib/request.js:10:5)',
    '    at emit (node:events:519:28)',
    '    at charge (src/charge.ts:41:11)',
  ].join('\n')

  test('O4: has the frames of packages folded, and is copied whole', async () => {
    const user = userEvent.setup()
    render(<Trace text={stack} />)
    const folded = screen.getByText('2 frames of packages').closest('details') as HTMLDetailsElement
    expect(folded.open).toBe(false)
    expect(folded.textContent).toContain('request.js:10:5')
    expect(screen.getByText(/src\/charge\.ts:41:11/).closest('details')).toBe(null)
    await user.click(screen.getByRole('button', { name: 'Copy stack' }))
    expect(await navigator.clipboard.readText()).toBe(stack)
  })

  test('O4: is shown selected where the browser has no clipboard, as over plain http', async () => {
    const user = userEvent.setup()
    vi.stubGlobal('navigator', { ...navigator, clipboard: undefined })
    render(<Trace text={stack} />)
    await user.click(screen.getByRole('button', { name: 'Copy stack' }))
    const area = (await screen.findByRole('textbox')) as HTMLTextAreaElement
    expect(area.value.slice(area.selectionStart, area.selectionEnd)).toBe(stack)
    await user.type(area, '{Escape}')
    expect(screen.queryByRole('textbox')).toBe(null)
  })
})

const attempt = {
  attempt: 1,
  round: 1,
  dueAt: at,
  startedAt: at,
  waitedMs: 0,
  endedAt: at,
  ranMs: 1_500,
  worker: 'w1',
  build: '1.4.1',
  outcome: 'PARKED' as const,
  error: {
    type: 'PERMANENT' as const,
    code: 'DOWN',
    message: 'no answer',
    stack: 'Error\n    at src/x.ts:1:1',
    frame: 'src/x.ts:1',
  },
  retryAt: null,
}

test('O4: attempts are a table: how long each waited and ran, its worker and build, its error and stack', () => {
  render(
    <Attempts
      items={[
        { ...attempt, attempt: 1, outcome: 'LOST', worker: null, startedAt: null, error: null, ranMs: null },
        attempt,
      ]}
    />,
  )
  const [, lost, parked] = screen.getAllByRole('row').map(row => row.textContent)
  expect(lost).toMatch(/Lost with its worker.*not known/)
  expect(parked).toMatch(/1\.5 s.*Failed, parked.*DOWN: no answer.*src\/x\.ts:1.*w1.*build 1\.4\.1/s)
})

describe('a command that has ended', () => {
  test.each([
    ['FAILED', 'No result: the command failed, and that is final.'],
    ['CANCELED', 'No result: the command was canceled, and that is final.'],
    ['PENDING', 'No result yet.'],
  ])('O4: %s: the page says what that means for the result', async (status, text) => {
    answering(({ path }) =>
      path === `/domains/payments/commands/${commandId}`
        ? [
            200,
            {
              ...command,
              status,
              data: 1,
              result: null,
              lastErrorMsg: null,
              correlationId: commandId,
              createdAt: at,
              updatedAt: at,
              leaseExpiresAt: null,
            },
          ]
        : problem(404, 'NOT_FOUND', 'nothing'),
    )
    show(<CommandPage domain="payments" commandId={commandId} />)
    expect(await screen.findByText(text)).toBeTruthy()
  })

  test('O4: one that runs shows since when and by whom, not its first lease', async () => {
    answering(({ path }) =>
      path.endsWith('/attempts')
        ? [200, { items: [{ ...attempt, outcome: 'RUNNING', error: null }] }]
        : path === `/domains/payments/commands/${commandId}`
          ? [
              200,
              {
                ...command,
                status: 'IN_PROGRESS',
                totalAttempts: 1,
                data: 1,
                result: null,
                lastErrorMsg: null,
                correlationId: commandId,
                createdAt: at,
                updatedAt: at,
                leaseExpiresAt: at,
              },
            ]
          : undefined,
    )
    show(<CommandPage domain="payments" commandId={commandId} />)
    expect((await screen.findByText('Running since')).nextSibling?.textContent).not.toBe('')
    expect((await screen.findByText('Worker', { selector: 'dt' })).nextSibling?.textContent).toBe('w1')
    expect(screen.queryByText(/Lease/)).toBe(null)
  })
})

describe('Edit and retry', () => {
  const edit = async () => {
    show(<ActionBar target={{ kind: 'one', command }} />)
    return open()
  }
  const open = async () => {
    await userEvent.click(screen.getByRole('button', { name: 'Edit and retry' }))
    return within(screen.getByRole('dialog'))
  }
  const write = async (box: HTMLElement, text: string) => {
    await userEvent.clear(box)
    await userEvent.click(box)
    await userEvent.paste(text)
  }

  test('O4: shows the difference, rehearses the edited payload, and keeps the edit when the dialog is closed', async () => {
    answering(({ path }) =>
      path.endsWith('/rehearse')
        ? [
            200,
            {
              ...command,
              outcome: 'SUCCESS',
              result: 'charged',
              error: null,
              wouldBe: 'COMPLETED',
              durationMs: 3,
              rolledBack: true,
            },
          ]
        : [200, { status: 'PENDING' }],
    )
    const dialog = await edit()
    expect(dialog.queryByRole('region', { name: 'Your changes' })).toBe(null)
    const edited = '{"amount": 6, "country": "NO"}'
    await write(dialog.getByLabelText('Payload'), edited)
    expect(dialog.getByRole('region', { name: 'Your changes' }).textContent).toMatch(/\/amount 5 → 6$/)
    await userEvent.click(dialog.getByRole('button', { name: 'Rehearse with this payload' }))
    expect((await dialog.findByTestId('rehearsal')).dataset.outcome).toBe('SUCCESS')
    expect(asked().at(-1)).toMatchObject({ body: { data: { amount: 6, country: 'NO' } } })

    // Escape, as the browser says it to a dialog
    screen.getByRole('dialog').dispatchEvent(new Event('cancel', { cancelable: true }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBe(null))
    const again = await open()
    expect((again.getByLabelText('Payload') as HTMLTextAreaElement).value).toBe(edited)
    expect(again.getByText(/your changes from before/)).toBeTruthy()
    await userEvent.click(again.getByRole('button', { name: 'Retry with this payload' }))
    await screen.findByText(/Sent again/)
    const last = await open()
    expect(JSON.parse((last.getByLabelText('Payload') as HTMLTextAreaElement).value)).toEqual(command.payload)
  })
})

describe('a JSON value', () => {
  const rows = Array.from({ length: 340 }, (_, i) => ({ sku: `S-${i}` }))

  test('O4: says its size, is shown whole when that is asked for, and can be searched, folded and wrapped', async () => {
    const user = userEvent.setup()
    render(<Json value={{ rows }} label="Payload" />)
    // roles of a thousand lines take long to compute
    const region = screen.getByLabelText('Payload')
    const press = (label: string) => user.click(screen.getByLabelText(label))
    expect(screen.getByText('1,024 lines, 6 KB')).toBeTruthy()
    expect(region.textContent).not.toContain('S-339')
    await user.click(screen.getByText('Show all 1,024 lines'))
    expect(JSON.parse(region.textContent ?? '')).toEqual({ rows })
    await press('Collapse all')
    expect(region.textContent).toBe('{  "rows": [ 340 … ]}')
    await press('Expand rows')
    expect(region.textContent).toContain('{ 1 … }')
    const search = screen.getByLabelText('Search in Payload')
    await user.click(search)
    await user.paste('s-339')
    await user.keyboard('{Enter}')
    expect(region.textContent).toContain('"sku": "S-339"')
    expect(screen.getByText('1 of 1 line')).toBeTruthy()
    await press('Copy path')
    expect(await navigator.clipboard.readText()).toBe('rows[339].sku')
    await press('Wrap lines')
    expect(region.querySelector('pre')?.className).toContain('whitespace-pre-wrap')
  })
})

test('O4: a cause shows its place and what its failed commands have in common', async () => {
  const group = {
    key: 'payments/Charge/DOWN/src/x.ts:1',
    domain: 'payments',
    commandType: 'Charge',
    errorCode: 'DOWN',
    frame: 'src/x.ts:1 in charge',
    count: 3,
    first: at,
    last: at,
    sample: 'no answer',
    care: null,
  }
  const finding = { kind: 'value', path: 'country', value: 'IT', failedShare: 0.98, succeededShare: 0.02 }
  answering(({ path }) =>
    path.startsWith('/troubleshooting/groups')
      ? [200, { items: [group] }]
      : [
          200,
          {
            failed: 50,
            succeeded: 2_000,
            findings: path.includes('none') ? [] : [{ ...finding, sentence: 'country is "IT" in 98 % of them.' }],
          },
        ],
  )
  show(<Groups />)
  expect(await screen.findByText('src/x.ts:1 in charge')).toBeTruthy()
  expect(screen.getByRole('link', { name: 'DOWN' }).getAttribute('href')).toContain('frame=src%2Fx.ts%3A1+in+charge')
  await userEvent.click(screen.getByRole('button', { name: 'Explain' }))
  const findings = await screen.findByTestId('findings')
  expect(findings.textContent).toMatch(
    /country is "IT" in 98 % of them\.Failed98 %Succeeded2 %.*50 failed and 2,000 succeeded/,
  )
  expect(asked().at(-1)?.path).toBe(
    '/troubleshooting/explain?domain=payments&commandType=Charge&errorCode=DOWN&frame=src%2Fx.ts%3A1+in+charge',
  )
})
