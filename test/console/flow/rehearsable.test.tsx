import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { ActionBar } from '../../../web/src/pages/troubleshooting/acting/ActionBar.tsx'
import { answering, asked, show } from '../components/support.tsx'

const command = (domain: string) => ({
  domain,
  commandId: '00000000-0000-4000-8000-000000000001',
  commandType: 'Charge',
  payload: {},
})

test('a rehearsal is offered where the service knows the handlers, and nowhere else', async () => {
  answering(({ path }) => (path === '/troubleshooting/rehearsable' ? [200, { items: ['demo'] }] : undefined))
  const { again } = show(<ActionBar target={{ kind: 'one', command: command('demo') }} />)
  await screen.findByRole('button', { name: 'Rehearse' })
  again(<ActionBar target={{ kind: 'one', command: command('payments') }} />)
  expect(screen.queryByRole('button', { name: 'Rehearse' })).toBeNull()
  expect(screen.getByRole('button', { name: 'Edit and retry' })).toBeTruthy()
  expect(asked()).toHaveLength(1)
})

test('where the service does not say, its answer to the rehearsal does', async () => {
  answering(() => [500, {}])
  show(<ActionBar target={{ kind: 'one', command: command('payments') }} />)
  await screen.findByRole('button', { name: 'Rehearse' })
})
