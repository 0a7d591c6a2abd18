import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test } from 'vitest'
import type { Run } from '../../../web/src/api/client.ts'
import { ContinueButton } from '../../../web/src/pages/runs/ContinueButton.tsx'
import { answering, asked, problem, show } from './support.tsx'

const id = '00000000-0000-4000-8000-000000000001'
const at = '2026-01-31T12:00:00.000Z'
const run = (status: Run['status'] = 'COMPLETED_WITH_ERRORS'): Run => ({
  id,
  tenantId: 't1',
  templateId: id,
  templateName: 'Summaries',
  status,
  totalJobs: 3,
  completedJobs: 1,
  failedJobs: 2,
  round: 1,
  roundJobs: 3,
  maxRetryCount: 3,
  creditsPerRun: 4,
  creditsConsumed: 12,
  creditsFromMonthly: 12,
  creditsFromPurchased: 0,
  batchMode: false,
  testRun: false,
  startedBy: 'jane@example.com',
  createdAt: at,
  updatedAt: at,
  endedAt: at,
  perFileResults: [],
})
const preview = (more: object = {}) => ({
  id,
  files: 3,
  failedFiles: 2,
  pendingFiles: 1,
  creditsNeeded: 8,
  creditsAvailable: 100,
  blockedBy: null,
  message: null,
  ...more,
})

const button = () => screen.queryByTestId('continue-button')

const open = async () => {
  await userEvent.click(screen.getByTestId('continue-button'))
  return within(screen.getByRole('dialog'))
}

describe('Continue', () => {
  test('C15: is a button "Continue" on a run that completed with errors', () => {
    show(<ContinueButton run={run()} />)
    expect([button()?.tagName, button()?.textContent]).toEqual(['BUTTON', 'Continue'])
  })

  test.each(['QUEUED', 'RUNNING', 'COMPLETED', 'CANCELLED'] as const)(
    'C15: is not there on a run that is %s',
    status => {
      show(<ContinueButton run={run(status)} />)
      expect(button()).toBe(null)
    },
  )

  test('C4, C14, C15: in a run that failed completely, files that never started are charged, too', async () => {
    answering(() => [200, preview({ creditsNeeded: 12 })])
    show(<ContinueButton run={run('FAILED')} />)
    const dialog = await open()
    expect((await dialog.findByTestId('preview')).textContent).toContain('never begun, 4 credits each1Credits needed12')
  })

  test('C15: shows files and credits before anything is charged', async () => {
    answering(() => [200, preview()])
    show(<ContinueButton run={run()} />)
    const dialog = await open()
    expect((await dialog.findByTestId('preview')).textContent).toBe(
      'Files to run again3failed, 4 credits each2never begun, free1Credits needed8Credits available100',
    )
    expect(dialog.getByRole('button', { name: 'Continue with 3 files for 8 credits' })).toHaveProperty(
      'disabled',
      false,
    )
    expect(asked()).toEqual([{ method: 'GET', path: `/workflow-runs/${id}/retry-failed`, body: undefined }])
  })

  test('C2, C15: continues without a body when it is confirmed', async () => {
    answering(({ method }) => (method === 'POST' ? [200, run('RUNNING')] : [200, preview()]))
    show(<ContinueButton run={run()} />)
    const dialog = await open()
    await userEvent.click(await dialog.findByRole('button', { name: /^Continue with/ }))
    await screen.findByText('The run continues')
    expect(asked().filter(({ method }) => method === 'POST')).toEqual([
      { method: 'POST', path: `/workflow-runs/${id}/retry-failed`, body: {} },
    ])
    expect(screen.queryByRole('dialog')).toBe(null)
  })

  test.each([
    ['INSUFFICIENT_CREDITS', 'it needs 8 credits and there are 3', 'What to do:'],
    ['MAX_RETRY_COUNT', 'Max retry count exceeded for one or more files', 'Max retry count'],
  ])('C15: says why when it is blocked by %s, and cannot be confirmed', async (blockedBy, message, also) => {
    answering(() => [200, preview({ blockedBy, message })])
    show(<ContinueButton run={run()} />)
    const dialog = await open()
    const alert = await dialog.findByRole('alert')
    expect(alert.textContent).toContain(message)
    expect(alert.textContent).toContain(also)
    expect(dialog.getByRole('button', { name: /^Continue with/ })).toHaveProperty('disabled', true)
  })

  test('C5, C7, C15: a refusal at the last moment is shown, and files and credits are loaded again', async () => {
    let charged = false
    answering(({ method }) => {
      if (method === 'GET')
        return [200, charged ? preview({ blockedBy: 'ALREADY_RUNNING', message: 'it runs' }) : preview()]
      charged = true
      return problem(409, 'ALREADY_RUNNING', 'the run is running already')
    })
    show(<ContinueButton run={run()} />)
    const dialog = await open()
    await userEvent.click(await dialog.findByRole('button', { name: /^Continue with/ }))
    expect(await dialog.findByText(/The run is running already/)).toBeTruthy()
    expect(await dialog.findByText(/cannot be continued now: it runs/)).toBeTruthy()
  })
})
