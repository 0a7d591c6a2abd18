import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { CommandDetail } from '../../../web/src/api/client.ts'
import { readToken, type Session, signIn } from '../../../web/src/api/session.ts'
import { WhoAmI } from '../../../web/src/app/WhoAmI.tsx'
import { CommandActions } from '../../../web/src/pages/commands/CommandActions.tsx'
import { ActionBar } from '../../../web/src/pages/troubleshooting/acting/ActionBar.tsx'
import { show, tokenFor } from './support.tsx'

const commandId = '00000000-0000-4000-8000-000000000001'
const command = (domain: string, status = 'IN_TROUBLESHOOTING_QUEUE') =>
  ({ domain, commandId, commandType: 'Charge', status, data: {}, totalAttempts: 0 }) as unknown as CommandDetail
const offered = () => screen.queryAllByRole('button').map(({ textContent }) => textContent)
const token = (permissions?: unknown) => tokenFor(['OPERATOR', 'SENDER'], 'jane@example.com', permissions)

test('O9: a command offers only what the token names in its domain', () => {
  signIn(token(['retry@payments', 'snooze@*', 'cancel@shipping', 'send@payments']))
  const { again } = show(<CommandActions command={command('payments')} />)
  expect(offered()).toEqual(['Retry', 'Snooze'])
  again(<CommandActions command={command('shipping')} />)
  expect(offered()).toEqual(['Snooze', 'Cancel'])
  again(<CommandActions command={command('payments', 'PENDING')} />)
  expect(offered()).toEqual(['Cancel'])
  again(<CommandActions command={command('shipping', 'PENDING')} />)
  expect(offered()).toEqual([])
  again(<CommandActions command={command('payments', 'IN_PROGRESS')} />)
  expect(offered()).toEqual([])
})

test('O9: editing is offered to those who may edit', () => {
  signIn(token(['retry@payments', 'edit@payments']))
  show(<CommandActions command={command('payments')} />)
  expect(offered()).toEqual(['Retry', 'Edit and retry'])
})

test('O9: an action on many is offered when the token names it for all that it reaches', () => {
  signIn(token(['retry@payments', 'cancel@*']))
  const { again } = show(<ActionBar target={{ kind: 'many', commands: [command('payments'), command('shipping')] }} />)
  expect(offered()).toEqual(['Cancel'])
  again(<ActionBar target={{ kind: 'matching', filter: {}, total: 5 }} />)
  expect(offered()).toEqual(['Cancel'])
  again(<ActionBar target={{ kind: 'matching', filter: { domain: 'payments' }, total: 5 }} />)
  expect(offered()).toEqual(['Retry', 'Cancel'])
})

test('O9: Who am I shows what may be done, and in which domains', () => {
  const session = readToken(token(['retry@payments', 'retry@shipping', 'read@*', 'grant@*', 'oops'])) as Session
  show(<WhoAmI session={session} onClose={() => undefined} />)
  const lines = [...screen.getByRole('list', { name: 'Only this' }).children].map(({ textContent }) => textContent)
  expect(lines).toEqual(['See commands, troubleshooting and figures: all domains', 'Retry: payments, shipping'])
})

test('O9: a token without such a list, and one with a claim that cannot be read', () => {
  show(<WhoAmI session={readToken(token()) as Session} onClose={() => undefined} />)
  expect(screen.queryByText(/Only this/)).toBeNull()
  signIn(token({ retry: true }))
  show(<CommandActions command={command('payments')} />)
  expect(screen.queryByRole('button', { name: 'Retry' })).toBeNull()
})
