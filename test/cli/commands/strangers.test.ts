import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('F13: `strangers` lists messages of other programs, adopts and drops them', async () => {
  const { bus, pool, database, work, until } = await createTestBus()
  const run = (...flags: string[]) => program.run(['strangers', ...flags], { env: { DATABASE_URL: database.url } })
  await bus.send('payments', 'Charge', {})
  for (const [n, type] of ['Charge', 'Charge', 'Charge it!', 'Charge'].entries()) {
    await pool.query(`select pgmq.send('payments__commands', $1)`, [
      { command_id: `order-${n}`, command_type: type, data: { n, ...(n === 3 ? { long: 'x'.repeat(10_000) } : {}) } },
    ])
  }
  await work({ domain: 'payments', handlers: { Charge: () => null } })
  await until(
    async () => (await bus.strangers.list()).items,
    items => items.length === 4,
  )

  const listed = await run('list', '--domain', 'payments')
  expect(listed).toMatchObject({ code: 0, stdout: expect.stringMatching(/Charge it!.*/) })
  expect(listed.stdout).toContain('bytes)')
  const ids = (await run('list', '--json'))
    .json()
    .items.map(one => String(one.strangerId))
    .reverse()
  expect(await run('adopt')).toMatchObject({ code: 2, stderr: expect.stringContaining('say which') })
  expect(await run('adopt', 'x')).toMatchObject({ code: 2, stderr: expect.stringContaining('strangerIds[0]') })
  expect(await run('adopt', '1', '--command-type', 'a b')).toMatchObject({ code: 2 })
  expect(await run('drop', '--all', '--reason', ' ')).toMatchObject({ code: 2 })
  // page by page
  expect(await run('adopt', '--all', '--limit', '1', '--operator', 'jane')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^Adopted 3 messages\.\n\d+ stays: 'Charge it!' is not a valid command type.*\n$/),
  })
  expect(
    await run('adopt', '--message-type', 'Charge it!', '--command-type', 'Charge', '--operator', 'jane', '--json'),
  ).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`"strangerId": "${ids[2]}"`),
  })
  await pool.query(`select pgmq.send('payments__commands', '[]')`)
  await until(
    async () => (await bus.strangers.list()).items,
    items => items.length === 1,
  )
  expect(await run('drop', '--domain', 'payments', '--reason', 'a test', '--operator', 'joe')).toMatchObject({
    code: 0,
    stdout: 'Dropped 1 message.\n',
  })
  expect((await run('list')).stdout).toBe('No such messages.\n')
  const settled = (await run('list', '--settled', '--json')).json().items
  expect(settled).toMatchObject([
    { outcome: 'dropped', settledBy: 'joe', reason: 'a test', message: null },
    ...Array(4).fill({ outcome: 'adopted', settledBy: 'jane', message: null }),
  ])
})
