import { expect, test } from 'vitest'
import { createTestBus } from '../../support/bus.ts'
import { isParked } from '../../support/park.ts'
import { useProgram } from '../../support/servers/cli.ts'

const program = useProgram()

test('R5: `show`, `audit` and `replay` show where an error was thrown and what caused it', async () => {
  const { bus, database, work, until } = await createTestBus()
  const cause = Object.assign(new Error('connect refused\u001b[2J'), { code: 'ECONNREFUSED' })
  await work({ domain: 'payments', handlers: { Charge: () => Promise.reject(new Error('no answer', { cause })) } })
  const { commandId } = await bus.send('payments', 'Charge', {}, { maxAttempts: 2, backoffSeconds: [0] })
  await until(() => bus.getCommand('payments', commandId), isParked)
  const run = async (...args: string[]) =>
    (await program.run([...args, commandId], { env: { DATABASE_URL: database.url } })).stdout

  const trace =
    /Error: no answer\n +at .*stacks\.test[\s\S]*\n +cause ECONNREFUSED: connect refused\\u001B\[2J\n +at .*stacks\.test/
  const shown = await run('show')
  expect(shown).toMatch(trace)
  expect(shown.match(/Error: no answer\n/g)).toHaveLength(1)
  const audit = await run('audit')
  expect(audit).toMatch(trace)
  expect(audit.match(/\n(FAILED|MOVED_TO_TROUBLESHOOTING_QUEUE) \S+ \S+\n {2}Error: no answer\n/g)).toHaveLength(2)
  expect(audit).not.toContain('error_stack')
  const replayed = await run('replay')
  expect(replayed).toMatch(trace)
  for (const text of [shown, audit, replayed]) expect(text).not.toContain('\u001b')
})
