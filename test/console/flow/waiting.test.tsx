import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { expect, test } from 'vitest'
import type { AuditEntry, Command, CommandDetail, Pause } from '../../../web/src/api/client.ts'
import { At } from '../../../web/src/components/Time.tsx'
import { ZoneSwitch } from '../../../web/src/components/time/ZoneSwitch.tsx'
import { CommandFacts } from '../../../web/src/pages/commands/CommandFacts.tsx'
import { Timeline } from '../../../web/src/pages/commands/Timeline.tsx'
import { WaitingBanner, WaitsFor } from '../../../web/src/pages/commands/waiting/Waiting.tsx'
import { answering, show } from '../components/support.tsx'

const at = '2026-01-02T03:04:05.678Z'
const ahead = (minutes: number): string => new Date(Date.now() + minutes * 60_000 + 20_000).toISOString()
const command = (over: object = {}) =>
  ({
    domain: 'shop',
    commandId: '00000000-0000-4000-8000-000000000001',
    commandType: 'Charge',
    status: 'PENDING',
    tenantId: null,
    attempts: 2,
    maxAttempts: 5,
    totalAttempts: 2,
    nextAttemptAt: null,
    runAt: null,
    lane: null,
    priority: 'normal',
    correlationId: 'c',
    queueName: 'shop__commands',
    createdAt: at,
    updatedAt: at,
    revision: 4,
    assignee: null,
    tags: [],
    notes: 0,
    ...over,
  }) as unknown as CommandDetail & Command
const pause = (over: Partial<Pause>): Pause => ({
  pauseId: 'p',
  domain: 'shop',
  commandType: null,
  tenantId: null,
  reason: 'the bank is down',
  until: null,
  pausedBy: 'ann',
  pausedAt: at,
  ...over,
})

test.each([
  [
    'waits for its next attempt',
    { nextAttemptAt: ahead(9) },
    [],
    /next try in \d/,
    /waits for its next attempt: .*\(in \d.*Attempt 3 of 5/,
  ],
  ['waits for its time', { runAt: ahead(120), totalAttempts: 0 }, [], /runs in \d/, /Waits for its time: .*\(in \d/],
  [
    'waits in its lane',
    { lane: 'order 1', place: 3, waitsFor: 'x' },
    [],
    /in lane order 1/,
    /lane order 1, place 3, behind/,
  ],
  ['is paused', {}, [pause({ commandType: 'Charge' })], /paused/, /Paused by ann: the bank is down/],
  [
    'is ready',
    {},
    [pause({ commandType: 'Refund' }), pause({ tenantId: 't1' })],
    /ready/,
    /Ready: the next free worker/,
  ],
] as const)('a pending command that %s says so, in lists and on its page', async (_, over, pauses, short, long) => {
  answering(({ path }) => (path.startsWith('/flow/pauses') ? [200, { items: pauses }] : undefined))
  show([<WaitsFor key="short" command={command(over)} />, <WaitingBanner key="long" command={command(over)} />])
  await waitFor(() => expect(screen.getByTestId('waiting').textContent).toMatch(long))
  expect(screen.getAllByText(short, { selector: 'span' })[0]?.textContent).toMatch(short)
})

test('a pending command that no worker is there for says so in lists; its page says nothing else', async () => {
  const missing = { domain: 'shop', commandType: 'Charge', pending: 1, since: at, oldestSeconds: 60 }
  answering(({ path }) => [200, { items: path.startsWith('/workers/missing') ? [missing] : [] }])
  show([<WaitsFor key="short" command={command()} />, <WaitingBanner key="long" command={command()} />])
  await screen.findByText('no worker')
  await waitFor(() => expect(screen.queryByTestId('waiting')).toBeNull())
})

test('a command that is not pending waits for nothing', () => {
  show(<WaitingBanner command={command({ status: 'COMPLETED' })} />)
  expect(screen.queryByTestId('waiting')).toBeNull()
})

const entry = (eventType: string, actor: string, revision: number, details: object = {}): AuditEntry =>
  ({
    auditId: `${eventType}${revision}`,
    domain: 'shop',
    commandId: 'x',
    eventType,
    ts: at,
    actor,
    revision,
    details,
  }) as AuditEntry

const fact = (name: string) => screen.getByText(name, { selector: 'dt' }).nextElementSibling?.textContent ?? ''

test('the facts say since when it runs, with the zone of the time and how long ago', () => {
  show(<CommandFacts command={command({ status: 'IN_PROGRESS' })} />)
  expect(fact('Running since')).toMatch(/^2 Jan 2026, \d\d:04:05 \S+ \(\d+d ago\)$/)
  expect(fact('Events')).toBe('5')
})

test('the facts name who canceled a command, and why', () => {
  const audit = [entry('SENT', 'shop', 0), entry('OPERATOR_CANCEL', 'jane', 1, { reason: 'ordered twice' })]
  show(<CommandFacts command={command({ status: 'CANCELED' })} audit={audit} />)
  expect([fact('Canceled'), fact('Because')]).toEqual(['by jane', 'ordered twice'])
})

test('the names of one event count once, from 1', () => {
  show(<Timeline items={[entry('SENT', 'shop', 0), entry('FAILED', 'w', 1), entry('RETRY_SCHEDULED', 'w', 1)]} />)
  expect(screen.getAllByText(/event \d/).map(({ textContent }) => /event \d/.exec(textContent ?? '')?.[0])).toEqual([
    'event 1',
    'event 2',
  ])
})

test('times are shown by a clock of 24 hours, and a switch shows them in UTC', async () => {
  show([<ZoneSwitch key="switch" />, <At key="at" at="2026-01-02T15:04:05.678Z" />])
  await userEvent.click(screen.getByRole('button', { name: /switch to UTC/ }))
  expect(screen.getByText('2 Jan 2026, 15:04:05 UTC')).toBeTruthy()
  await userEvent.click(screen.getByRole('button', { name: 'Times in UTC; switch to your zone' }))
  expect(screen.getByRole('button', { name: /switch to UTC/ })).toBeTruthy()
})
