import { act, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test, vi } from 'vitest'
import { OperationPage } from '../../../web/src/pages/operations/OperationPage.tsx'
import { useRetryOperation } from '../../../web/src/pages/operations/useRetryOperation.ts'
import { answering, asked, problem, show } from './support.tsx'

const at = '2026-01-31T12:00:00.000Z'
const operation = (id: string, more: object = {}) => ({
  id,
  operation_type: 'question_generation',
  status: 'pending',
  result: null,
  error_message: null,
  parent_operation_id: null,
  retry_count: 0,
  session_id: null,
  message_id: null,
  created_at: at,
  updated_at: at,
  retriable: false,
  ...more,
})

const Retrier = ({ id }: { readonly id: string }) => {
  const retry = useRetryOperation()
  return (
    <button type="button" onClick={() => retry.mutate(id)}>
      retry
    </button>
  )
}

const press = async () => userEvent.click(screen.getByRole('button', { name: 'retry' }))

describe('useRetryOperation', () => {
  test('B8: sends the retry, shows that, and loads the new operation and its session again', async () => {
    answering(({ path }) => (path === '/operations/a/retry' ? [200, operation('b', { session_id: 's1' })] : undefined))
    const { queries } = show(<Retrier id="a" />)
    const invalidated = vi.spyOn(queries, 'invalidateQueries')
    await press()
    expect((await screen.findByRole('status')).textContent).toBe('Retrying operation...')
    expect(asked()).toEqual([{ method: 'POST', path: '/operations/a/retry', body: {} }])
    const keys = invalidated.mock.calls.map(([filter]) => filter?.queryKey)
    expect(keys).toEqual(
      expect.arrayContaining([
        ['operation', 'b'],
        ['session', 's1'],
      ]),
    )
  })

  test('B8: without a session only the operation is loaded again', async () => {
    answering(() => [200, operation('b')])
    const { queries } = show(<Retrier id="a" />)
    const invalidated = vi.spyOn(queries, 'invalidateQueries')
    await press()
    await screen.findByText('Retrying operation...')
    const keys = invalidated.mock.calls.map(([filter]) => filter?.queryKey?.[0])
    expect(keys).toContain('operation')
    expect(keys).not.toContain('session')
  })

  test("B8: a refusal shows the problem's detail", async () => {
    answering(() => problem(400, 'INVALID_REQUEST', 'Can only retry failed operations'))
    show(<Retrier id="a" />)
    await press()
    expect((await screen.findByRole('alert')).textContent).toBe('Can only retry failed operations')
  })

  test('B8: a failure without a detail says "Failed to retry operation"', async () => {
    answering(() => Promise.reject(new TypeError('fetch failed')))
    show(<Retrier id="a" />)
    await press()
    expect((await screen.findByRole('alert')).textContent).toBe('Failed to retry operation')
  })
})

describe('the view of an operation', () => {
  test('B9: polls every 2 to 3 seconds until it is over', async () => {
    vi.useFakeTimers()
    let status = 'pending'
    const fresh = new Date().toISOString()
    answering(() => [200, operation('a', { status, created_at: fresh, result: { answer: 42 } })])
    show(<OperationPage id="a" />)
    await act(() => vi.advanceTimersByTimeAsync(100))
    expect(asked().length).toBe(1)
    await act(() => vi.advanceTimersByTimeAsync(1_900))
    expect(asked().length).toBe(1)
    await act(() => vi.advanceTimersByTimeAsync(1_000))
    expect(asked().length).toBe(2)
    status = 'completed'
    await act(() => vi.advanceTimersByTimeAsync(3_000))
    expect(screen.getByTestId('operation-status').textContent).toBe('completed')
    const before = asked().length
    await act(() => vi.advanceTimersByTimeAsync(30_000))
    expect(asked().length).toBe(before)
  })

  test('B9: after 30 seconds it says that it takes longer than expected, until it is over', async () => {
    vi.useFakeTimers()
    let status = 'processing'
    const fresh = new Date().toISOString()
    answering(() => [200, operation('a', { status, created_at: fresh })])
    show(<OperationPage id="a" />)
    await act(() => vi.advanceTimersByTimeAsync(29_000))
    expect(screen.queryByText(/longer than expected/)).toBe(null)
    await act(() => vi.advanceTimersByTimeAsync(1_500))
    expect(screen.getByText(/longer than expected/)).toBeTruthy()
    status = 'completed'
    await act(() => vi.advanceTimersByTimeAsync(3_000))
    expect(screen.queryByText(/longer than expected/)).toBe(null)
  })

  test('B7, B9: a failed one offers a retry, which leads to the new operation', async () => {
    const error_message = 'The model did not answer. What to do: try again.'
    answering(({ path }) =>
      path === '/operations/a/retry'
        ? [200, operation('b')]
        : [200, operation('a', { status: 'failed', error_message, retriable: true })],
    )
    show(<OperationPage id="a" />)
    await userEvent.click(await screen.findByRole('button', { name: 'Retry' }))
    await screen.findByText('Retrying operation...')
    expect(location.pathname).toBe('/operations/b')
  })

  test('B7: one that may not be retried any more offers no retry', async () => {
    answering(() => [200, operation('a', { status: 'failed', error_message: 'It failed.' })])
    show(<OperationPage id="a" />)
    expect((await screen.findByRole('alert')).textContent).toBe('It failed.')
    expect(screen.queryByRole('button', { name: 'Retry' })).toBe(null)
  })
})
