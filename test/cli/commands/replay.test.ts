import { expect, test } from 'vitest'
import { createTestBus, type TestBus } from '../../support/bus.ts'
import { parked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()
const on = ({ database }: TestBus) => ({ env: { DATABASE_URL: database.url } })

test('replay shows each event, one moment, the difference of two moments, or one step at a time', async () => {
  const setup = await createTestBus()
  const id = await parked(setup, 'payments', { amount: 5 })
  await setup.bus.troubleshooting.retry('payments', id, { operator: 'jane@example.com', data: { amount: 6 } })
  const replay = (...flags: string[]) => program.run(['replay', id, ...flags], on(setup))

  const whole = await replay()
  expect(whole).toMatchObject({ code: 0, stderr: '' })
  expect(whole.stdout).toMatch(
    /#0 .* SENT +by sender[\s\S]*#2 .*MOVED_TO_TROUBLESHOOTING_QUEUE +by worker:[\s\S]*#3 .*OPERATOR_RETRY +by jane@example.com\n[\s\S]*data.amount: 5 -> 6\n[\s\S]*State\n +status +PENDING/,
  )
  const audit = async (event: string) =>
    (await program.run(['audit', id, '--event', event, '--json'], on(setup))).json().items.map(item => item.eventType)
  expect(await audit('moved_to_tsq')).toEqual(['MOVED_TO_TROUBLESHOOTING_QUEUE'])
  expect(await audit('COMPLETED')).toEqual([])
  const then = await replay('--at', '2')
  expect(then.stdout).not.toContain('OPERATOR_RETRY')
  expect(then.stdout).toMatch(/State\n +status +IN_TROUBLESHOOTING_QUEUE[\s\S]*"amount": 5/)
  expect((await replay('--compare', '2..3')).stdout).toMatch(/From 2 .* to 3 [\s\S]*data.amount: 5 -> 6/)
  const stepped = await replay('--step')
  expect(stepped).toMatchObject({ code: 0, stderr: '' })
  expect(stepped.stdout.match(/^State after \d of 4$/gm)).toHaveLength(4)
  const json = (await replay('--json', '--at', '1')).json()
  expect(json.items.map(step => step.revision)).toEqual([0, 1])
  expect(json).toMatchObject({ commandId: id, state: { status: 'IN_PROGRESS' } })
})

test('replay refuses an invalid command line before it connects, and an unknown id after', async () => {
  const nowhere = { env: { DATABASE_URL: 'postgres://127.0.0.1:1/none' } }
  const id = '7e0b7c1e-59f4-4bd0-9f3c-00000000dead'
  for (const flags of [
    [id, '--at', 'soon'],
    [id, '--compare', '3'],
    [id, '--compare', '1..'],
    [id, '--compare', '1..2', '--at', '1'],
    ['no-id'],
  ]) {
    expect(await program.run(['replay', ...flags], nowhere)).toMatchObject({ code: 2, stdout: '' })
  }
  const setup = await createTestBus()
  expect(await program.run(['replay', id], on(setup))).toMatchObject({ code: 1, stderr: expect.stringContaining(id) })
})

test('replay shows all commands of a correlation id; tsq list shows the queue as it was', async () => {
  const setup = await createTestBus()
  const id = await parked(setup, 'payments', { amount: 5 }, { correlationId: 'order-7' })
  const { commandId } = await setup.bus.send('mail', 'Tell', {}, { correlationId: 'order-7', causationId: id })
  const tree = await program.run(['replay', '--correlation', 'order-7'], on(setup))
  expect(tree).toMatchObject({ code: 0, stderr: '' })
  expect(tree.stdout).toMatch(new RegExp(`\\n${id} +payments[^\\n]*\\n  └ ${commandId} +mail .* caused by it`))
  const at = (await setup.bus.getHistory('payments', id)).state?.parkedAt ?? ''
  await setup.bus.troubleshooting.complete('payments', id, { operator: 'jane' })
  expect((await program.run(['tsq', 'list', '--at', at], on(setup))).stdout).toMatch(
    new RegExp(`${id} +payments .*{"amount":5}\\n\\nAs it was at ${at}`),
  )
  const now = (await program.run(['tsq', 'list', '--at', '2999-01-01', '--json'], on(setup))).json()
  expect(now.items).toEqual([])
  expect(await program.run(['replay', id, '--correlation', 'order-7'], on(setup))).toMatchObject({ code: 2 })
  expect(await program.run(['replay'], on(setup))).toMatchObject({ code: 2 })
})
