import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, test } from 'vitest'
import { ErrorDisplay } from '../../../web/src/components/ErrorDisplay.tsx'
import './support.tsx'

const message = 'The service did not answer. What to do: try again in a minute.'

describe('ErrorDisplay', () => {
  test('B7: splits the message at "What to do:" and is read out as an alert', () => {
    render(<ErrorDisplay message={message} />)
    const alert = screen.getByRole('alert')
    expect(screen.getByText('The service did not answer.').tagName).toBe('P')
    expect(screen.getByText('What to do:').tagName).toBe('STRONG')
    expect(alert.textContent).toBe('The service did not answer.What to do: try again in a minute.')
  })

  test('B7: a message without "What to do:" is shown as it is, and only the first one splits', () => {
    const { rerender } = render(<ErrorDisplay message="It failed." />)
    expect(screen.getByRole('alert').textContent).toBe('It failed.')
    rerender(<ErrorDisplay message="A. What to do: read What to do: in the manual" />)
    expect(screen.getByRole('alert').textContent).toBe('A.What to do: read What to do: in the manual')
  })

  test.each([
    ['error', 'red'],
    ['warning', 'orange'],
    ['info', 'blue'],
  ] as const)('B7: severity %s is %s', (severity, colour) => {
    render(<ErrorDisplay message={message} severity={severity} />)
    expect(screen.getByRole('alert').className.split(' ')).toEqual(
      expect.arrayContaining([`bg-${colour}-50`, `border-${colour}-200`, `text-${colour}-800`]),
    )
  })

  test('B7: without a severity it is an error', () => {
    render(<ErrorDisplay message={message} />)
    expect(screen.getByRole('alert').className).toContain('bg-red-50')
  })

  test('B7: offers a retry only with onRetry and operationId together', () => {
    const { rerender } = render(<ErrorDisplay message={message} operationId="1" />)
    expect(screen.queryByRole('button')).toBe(null)
    rerender(<ErrorDisplay message={message} onRetry={() => undefined} />)
    expect(screen.queryByRole('button')).toBe(null)
    rerender(<ErrorDisplay message={message} operationId="1" onRetry={() => undefined} />)
    expect(screen.getByRole('button').textContent).toBe('Retry')
  })

  test('B7: while it retries the button is disabled, spins and says "Retrying...", then it is "Retry" again', async () => {
    const calls: string[] = []
    let end: () => void = () => undefined
    const onRetry = (id: string): Promise<void> => {
      calls.push(id)
      return new Promise(resolve => {
        end = resolve
      })
    }
    render(<ErrorDisplay message={message} operationId="op-1" onRetry={onRetry} />)
    const button = screen.getByRole<HTMLButtonElement>('button')
    await userEvent.click(button)
    expect([button.textContent, button.disabled, calls]).toEqual(['Retrying...', true, ['op-1']])
    expect(button.querySelector('svg')?.getAttribute('class')).toContain('animate-spin')
    await userEvent.click(button)
    expect(calls).toEqual(['op-1'])
    end()
    expect(await screen.findByRole('button', { name: 'Retry' })).toHaveProperty('disabled', false)
    expect(button.querySelector('svg')?.getAttribute('class')).not.toContain('animate-spin')
  })

  test('B7: after a failed retry the button can be used again', async () => {
    const onRetry = () => Promise.reject(new Error('no'))
    render(<ErrorDisplay message={message} operationId="op-1" onRetry={onRetry} />)
    await userEvent.click(screen.getByRole('button'))
    expect(await screen.findByRole('button', { name: 'Retry' })).toHaveProperty('disabled', false)
  })
})
