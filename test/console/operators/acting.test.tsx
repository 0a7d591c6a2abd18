import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test } from 'vitest'
import { ActionBar } from '../../../web/src/pages/troubleshooting/acting/ActionBar.tsx'
import type { Target } from '../../../web/src/pages/troubleshooting/acting/target.ts'
import { ActionPage } from '../../../web/src/pages/troubleshooting/actions/ActionPage.tsx'
import { answering, asked, problem, show } from '../components/support.tsx'

const id = '00000000-0000-4000-8000-000000000001'
const one: Target = {
  kind: 'one',
  command: { domain: 'payments', commandId: id, commandType: 'Charge', payload: { amount: 5 } },
}
const matching = (total: number): Target => ({ kind: 'matching', filter: { errorCode: 'CARD_DECLINED' }, total })
const started = (): [number, unknown] => [202, { actionId: id }]

const open = async (target: Target, button: string) => {
  show(<ActionBar target={target} />)
  await userEvent.click(screen.getByRole('button', { name: button }))
  return within(screen.getByRole('dialog'))
}
const fill = async (box: HTMLElement, text: string): Promise<void> => {
  await userEvent.clear(box)
  await userEvent.click(box)
  await userEvent.paste(text)
}

describe('the dialog for many', () => {
  test('O1: proposes stages for more than 20, and takes a rate and hours', async () => {
    answering(started)
    const dialog = await open(matching(200), 'Retry')
    expect(dialog.getByLabelText<HTMLInputElement>('In stages').checked).toBe(true)
    await fill(dialog.getByLabelText('Commands a second'), '50')
    const confirm = dialog.getByRole<HTMLButtonElement>('button', { name: 'Retry 200 commands' })
    await fill(dialog.getByLabelText('Stages in percent'), '1, 200')
    expect(confirm.disabled).toBe(true)
    await fill(dialog.getByLabelText('Stages in percent'), '10, 100')
    await userEvent.click(confirm)
    await expect
      .poll(() => asked()[0]?.body)
      .toMatchObject({
        action: 'retry',
        stages: [10, 100],
        stopWhen: { share: 0.05 },
        ratePerSecond: 50,
      })
  })

  test('proposes nothing for 20', async () => {
    const dialog = await open(matching(20), 'Retry')
    expect(dialog.getByLabelText<HTMLInputElement>('In stages').checked).toBe(false)
  })

  test('asks for the count before more than 100 are ended, and leaves ten seconds to undo it', async () => {
    answering(started)
    const dialog = await open(matching(120), 'Complete')
    const confirm = dialog.getByRole<HTMLButtonElement>('button', { name: 'Complete 120 commands' })
    await fill(dialog.getByLabelText('Reason (required)'), 'settled by hand')
    expect(confirm.disabled).toBe(true)
    await fill(dialog.getByLabelText('Type 120 to confirm'), '120')
    await userEvent.click(confirm)
    await expect.poll(() => asked()[0]?.body).toMatchObject({ undoSeconds: 10, reason: 'settled by hand' })
  })

  test('O1: leaves the time to undo also where a filter matched one, because it may match more by then', async () => {
    answering(started)
    const dialog = await open(matching(1), 'Complete')
    await fill(dialog.getByLabelText('Reason (required)'), 'settled by hand')
    await userEvent.click(dialog.getByRole('button', { name: 'Complete 1 command' }))
    await expect.poll(() => asked()[0]?.body).toMatchObject({ undoSeconds: 10 })
  })

  test('O2: carries out exactly what was checked, as long as nothing is changed in the dialog', async () => {
    answering(({ path }) =>
      path.endsWith('/dry-run')
        ? [200, { total: 7, decided: 7, would: 7, blocked: 0, blockedSamples: [], planToken: 'the-plan' }]
        : problem(
            409,
            'PLAN_CHANGED',
            'commands have changed since the plan was made; nothing was done: make a new dry run',
          ),
    )
    const dialog = await open(matching(7), 'Retry')
    await userEvent.click(dialog.getByRole('button', { name: 'Check first' }))
    expect((await dialog.findByTestId('dry-run')).textContent).toContain('7 of 7 commands would be retried')
    await userEvent.click(dialog.getByRole('button', { name: 'Carry out exactly this' }))
    expect((await dialog.findByRole('alert')).textContent).toContain('Commands have changed since the plan was made')
    expect(asked().at(-1)?.body).toEqual({
      action: 'retry',
      filter: { errorCode: 'CARD_DECLINED' },
      planToken: 'the-plan',
    })
    await userEvent.click(dialog.getByLabelText(/Do not reset|Keep the count/))
    expect(dialog.queryByRole('button', { name: 'Carry out exactly this' })).toBe(null)
  })
})

describe('one command', () => {
  test('when somebody was faster the button is off, as the command is gone', async () => {
    answering(() => problem(409, 'INVALID_OPERATION', 'the command is COMPLETED, not in troubleshooting'))
    const dialog = await open(one, 'Retry')
    const confirm = dialog.getByRole<HTMLButtonElement>('button', { name: 'Retry 1 command' })
    await userEvent.click(confirm)
    await dialog.findByText(/Somebody was faster/)
    expect(confirm.disabled).toBe(true)
  })

  test('when the server is gone it says that nothing is sent again by itself', async () => {
    answering(() => {
      throw new TypeError('Failed to fetch')
    })
    const dialog = await open(one, 'Retry')
    const confirm = dialog.getByRole<HTMLButtonElement>('button', { name: 'Retry 1 command' })
    await userEvent.click(confirm)
    const alert = await dialog.findByRole('alert')
    expect(alert.textContent).toMatch(
      /not known whether this was done. It is not sent again by itself.*before you confirm/,
    )
    expect(alert.textContent).not.toContain('keeps reloading')
    expect(confirm.disabled).toBe(false)
  })
})

describe('the page of an action', () => {
  const action = {
    actionId: id,
    action: 'retry',
    status: 'COMPLETED',
    filter: null,
    total: 33,
    succeeded: 32,
    failed: 0,
    skipped: 1,
    canary: null,
    stages: null,
    ratePerSecond: null,
    stopWhen: null,
    between: null,
    stage: 1,
    stageTargets: [33],
    waitsFor: null,
    startsAt: null,
    operator: 'jane@example.com',
    note: null,
    createdAt: '2026-01-02T12:00:00.000Z',
    updatedAt: '2026-01-02T12:00:01.000Z',
    became: { completed: 30, parkedAgain: 2, failed: 0, canceled: 0, running: 0 },
    items: [],
    nextCursor: null,
  }
  const item = { ordinal: 1, domain: 'payments', commandId: id, outcome: 'SUCCEEDED', message: null, becameCode: null }

  test('O1: says what became of what was sent again, and never "Done" of a command that failed again', async () => {
    const items = [
      { ...item, became: 'COMPLETED' },
      { ...item, ordinal: 2, became: 'IN_TROUBLESHOOTING_QUEUE', becameCode: 'CARD_DECLINED' },
    ]
    answering(() => [200, { ...action, items }])
    show(<ActionPage id={id} />)
    const link = await screen.findByRole('link', { name: '2 parked again' })
    expect(link.getAttribute('href')).toBe(`/troubleshooting/actions/${id}?became=IN_TROUBLESHOOTING_QUEUE`)
    expect(link.closest('ul')?.textContent).toBe(
      '32 sent again:30 completed2 parked again0 running0 could not be sent1 skipped',
    )
    const rows = screen.getAllByRole('row').slice(1)
    expect(rows.map(row => row.textContent)).toEqual([
      expect.stringMatching(/Completed$/),
      expect.stringMatching(/Parked againCARD_DECLINED$/),
    ])
    expect(screen.queryByText('Done')).toBe(null)
  })

  test('what can be undone has a button for it, and no question', async () => {
    const startsAt = new Date(Date.now() + 9_000).toISOString()
    const waiting = {
      ...action,
      action: 'cancel',
      status: 'RUNNING',
      succeeded: 0,
      skipped: 0,
      waitsFor: 'undo',
      startsAt,
    }
    answering(({ method }) => [200, method === 'GET' ? waiting : { ...waiting, status: 'STOPPED' }])
    show(<ActionPage id={id} />)
    await userEvent.click(await screen.findByRole('button', { name: /^Undo \(\d+ s\)$/ }))
    await screen.findByText('Stopped: nothing was done, all stays in troubleshooting')
    expect(asked().find(({ method }) => method === 'POST')?.path).toBe(`/troubleshooting/actions/${id}/stop`)
  })

  test('O1: shows its stage, and is paused with a reason and resumed', async () => {
    const going = {
      ...action,
      status: 'RUNNING',
      stages: [10, 100],
      stageTargets: [4, 33],
      waitsFor: 'stage',
      succeeded: 4,
      skipped: 0,
    }
    let status = 'RUNNING'
    const changes = ['RUNNING', 'PAUSED'].map((was, i) => ({
      at: `2026-01-02T12:00:0${i}.000Z`,
      status: was,
      stage: 1,
      note: i === 0 ? null : 'paused by jane: lunch',
      by: 'jane',
      succeeded: 4,
      failed: 0,
      skipped: 0,
    }))
    answering(({ method, path }) => {
      if (method === 'POST') status = path.endsWith('/pause') ? 'PAUSED' : 'RUNNING'
      return [200, { ...going, status, waitsFor: status === 'PAUSED' ? 'operator' : 'stage', changes }]
    })
    show(<ActionPage id={id} />)
    await screen.findByText('Under way. Waiting for stage 1 of 2 to end')
    expect(screen.getByText(/paused by jane: lunch/)).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: 'Pause' }))
    await userEvent.type(screen.getByLabelText('Reason'), 'lunch')
    await userEvent.click(screen.getByRole('button', { name: 'Pause it' }))
    await userEvent.click(await screen.findByRole('button', { name: 'Resume' }))
    await expect
      .poll(() => asked().filter(({ method }) => method === 'POST'))
      .toEqual([
        { method: 'POST', path: `/troubleshooting/actions/${id}/pause`, body: { reason: 'lunch' } },
        { method: 'POST', path: `/troubleshooting/actions/${id}/resume`, body: {} },
      ])
  })
})
