import { expect, test } from 'vitest'
import { createReceiver, SECRET } from '../../alerts/receiver.ts'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const env = ({ database }: TestBus) => ({ DATABASE_URL: database.url })
const cause = ['--domain', 'payments', '--type', 'Charge', '--error-code', 'CARD_DECLINED']

test('O3: notes, an assignee and tags are written on one command or many, and the list is filtered by them', async () => {
  const setup = await createTestBus()
  const [one, other] = [await parked(setup), await parked(setup)]
  const run = async (...args: readonly string[]) => program.run([...args], { env: env(setup) })
  expect((await run('tsq', 'note', one, '--text', 'waits for the bank')).stdout).toBe(
    `Command ${one} has the note; it stays parked.\n`,
  )
  expect((await run('tsq', 'list')).stdout).not.toContain('ASSIGNEE')
  expect((await run('tsq', 'assign', one, '--assignee', 'joe')).code).toBe(0)
  expect((await run('tsq', 'tag', '--all', '--tags', 'bank, eu')).stdout).toBe('Tagged 2 of 2.\n')
  expect((await run('tsq', 'tag', other, '--tags', '', '--dry-run')).stdout).toContain('OPERATOR_TAG')
  const ids = async (...flags: readonly string[]) =>
    (await run('tsq', 'list', '--json', ...flags)).json().items.map(({ commandId }) => commandId)
  expect([await ids('--assignee', 'joe'), await ids('--tag', 'eu'), await ids('--tag', 'us')]).toEqual([
    [one],
    [other, one],
    [],
  ])
  expect((await run('tsq', 'list')).stdout).toMatch(/ASSIGNEE +TAGS +NOTES/)
  expect((await run('show', one)).stdout).toMatch(/^Assignee +joe\nTags +bank, eu\nNotes +1, in the audit$/m)
  await run('tsq', 'assign', one, '--assignee', '')
  expect(await ids('--assignee', 'joe')).toEqual([])
  const refused = await run('tsq', 'note', one, '--text', 'x'.repeat(2_001))
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining('text: must have at most 2000 characters'),
  ])
})

test('O3: a cause is written about, and taken under investigation', async () => {
  const setup = await createTestBus()
  await parked(setup)
  const run = async (...args: readonly string[]) => program.run([...args], { env: env(setup) })
  await run('causes', 'note', ...cause, '--text', 'the bank is down', '--operator', 'jane')
  await run('causes', 'assign', ...cause, '--assignee', 'joe')
  await run('causes', 'tag', ...cause, '--tags', 'bank')
  const taken = await run('causes', 'investigate', ...cause, '--until', '4h', '--reason', 'waits for the PSP')
  expect(taken.stdout).toMatch(
    /^Assignee +joe\nTags +bank\nInvestigated +until 20.* by .*\nReason +waits for the PSP\n.* jane: the bank is down$/m,
  )
  expect((await run('tsq', 'groups')).stdout).toMatch(/INVESTIGATED UNTIL/)
  expect((await run('causes', 'investigate', ...cause)).stderr).toContain('give one of --until and --end')
  await run('causes', 'investigate', ...cause, '--end')
  expect((await run('causes', 'show', ...cause, '--json')).json()).toMatchObject({
    assignee: 'joe',
    investigatedUntil: null,
    notes: [{ operator: 'jane', text: 'the bank is down' }],
  })
})

test('O5: an alert is set with a secret from the environment, shown, tested, listed and deleted', async () => {
  const setup = await createTestBus()
  const receiver = await createReceiver()
  const given = { ...env(setup), COMMANDBUS_ALERTS_LOCAL: 'true', HOOK: SECRET }
  const run = async (...args: readonly string[]) => program.run([...args], { env: given })
  const set = ['alerts', 'set', 'on-call', '--url', receiver.url, '--on', 'groups,lateReplies']
  expect((await run(...set)).stderr).toContain('is required for a new alert')
  expect((await run(...set, '--secret-env', 'NOT_SET')).stderr).toContain('NOT_SET, which is not set')
  const done = await run(...set, '--secret-env', 'HOOK', '--quiet', '22:00-07:00', '--digest', '15')
  expect(done.stdout).toMatch(/^About +groups, lateReplies\nQuiet +22:00-07:00 UTC\nDigest +15 minutes$/m)
  expect((await run('alerts', 'test', 'on-call')).stdout).toBe('The receiver accepted the test.\n')
  expect(receiver.received).toHaveLength(1)
  expect((await run('alerts', 'sent', 'on-call')).stdout).toMatch(/SENT \(test\)/)
  expect((await run('alerts', 'list', '--json')).stdout).not.toContain(SECRET)
  const strict = await program.run(['alerts', 'test', 'on-call'], { env: env(setup) })
  expect(strict.stdout).toContain('its address belongs to a private network')
  expect((await run('alerts', 'delete', 'on-call')).stdout).toBe('Alert on-call is deleted.\n')
  expect((await run('alerts', 'show', 'on-call')).stderr).toContain("no alert 'on-call'")
})
