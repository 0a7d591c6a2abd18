import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { ActionBar } from '../../../web/src/pages/troubleshooting/acting/ActionBar.tsx'
import { rehearsing, show } from '../components/support.tsx'

const command = (domain: string) => ({
  domain,
  commandId: '00000000-0000-4000-8000-000000000001',
  commandType: 'Charge',
  payload: {},
})

test('a rehearsal is offered where the service knows the handlers, and nowhere else', async () => {
  rehearsing(['demo'])
  const { again } = show(<ActionBar target={{ kind: 'one', command: command('demo') }} />)
  await screen.findByRole('button', { name: 'Rehearse' })
  again(<ActionBar target={{ kind: 'one', command: command('payments') }} />)
  expect(screen.queryByRole('button', { name: 'Rehearse' })).toBeNull()
  expect(screen.getByRole('button', { name: 'Edit and retry' })).toBeTruthy()
})

test('where the service does not say, its answer to the rehearsal does', async () => {
  show(<ActionBar target={{ kind: 'one', command: command('payments') }} />)
  await screen.findByRole('button', { name: 'Rehearse' })
})
