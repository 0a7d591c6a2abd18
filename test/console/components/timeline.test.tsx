import { render, screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import './support.tsx'
import { Timeline } from '../../../web/src/pages/commands/Timeline.tsx'

const entry = (details: unknown) => ({
  auditId: '1',
  domain: 'payments',
  commandId: '7e0b7c1e-59f4-4bd0-9f3c-00000000dead',
  eventType: 'FAILED',
  ts: '2026-01-31T12:00:00.000Z',
  actor: 'worker:1',
  revision: 2,
  details,
})

test('R5: the timeline shows where a failure was thrown and what caused it, separate from its other details', () => {
  render(
    <Timeline
      items={[
        entry({
          attempt: 1,
          error_code: 'Error',
          error_stack: 'Error: no answer\n    at charge (bank.ts:7:3)',
          error_causes: [
            {
              kind: 'cause',
              depth: 1,
              code: 'ECONNREFUSED',
              message: 'refused',
              stack: 'Error: refused\n    at net.ts:1',
            },
          ],
        }),
      ]}
    />,
  )
  expect(screen.getByRole('group', { name: 'Stack and causes', hidden: true }).textContent).toBe(
    'Error: no answer\n    at charge (bank.ts:7:3)\n  cause ECONNREFUSED: refused\n      at net.ts:1',
  )
  expect(screen.getByRole('group', { name: 'Details of FAILED', hidden: true }).textContent).not.toContain('bank.ts')
})

test('R5: without a stack there is nothing to open', () => {
  render(<Timeline items={[entry({ attempt: 1 })]} />)
  expect(screen.queryByText('Stack and causes')).toBeNull()
})
